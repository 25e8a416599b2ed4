const frame = document.getElementById('frame');
const log = document.getElementById('log');
const { origin } = new URL(frame.src);

window.addEventListener('message', (event) => {
  // Only what the frame itself says, and only while the page in it is the one that was put there.
  if (event.source !== frame.contentWindow || event.origin !== origin || event.data?.capas !== 1) return;
  if (event.data.type !== 'typed') log.textContent = JSON.stringify(event.data, null, 1);
});
for (const button of document.querySelectorAll('[data-send]')) {
  button.addEventListener('click', () => {
    frame.contentWindow.postMessage({ capas: 1, ...JSON.parse(button.dataset.send) }, origin);
  });
}
