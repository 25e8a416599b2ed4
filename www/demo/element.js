const first = document.getElementById('first');
const log = document.getElementById('log');
const tell = (text) => { log.textContent = text; };

document.getElementById('run').addEventListener('click', async () => {
  const [{ output }] = await first.run('docker run --rm alpine cat /etc/os-release');
  tell(output);
});
document.getElementById('state').addEventListener('click', async () => {
  const { images, containers } = await first.state();
  tell(`${images.length} imágenes: ${images.flatMap((image) => image.tags).join(', ')}\n${containers.length} contenedores`);
});
document.getElementById('reset').addEventListener('click', async () => { await first.reset(); tell('De nuevo desde el principio.'); });

const panes = ['terminal', 'layers'];
for (let at = 0; at < 9; at += 1) {
  const one = document.createElement('capas-sandbox');
  one.setAttribute('panes', panes[at % 2]);
  one.setAttribute('seed', String(at + 2));
  one.setAttribute('run', `docker run -d --name c${at + 2} nginx`);
  document.getElementById('grid').append(one);
}
