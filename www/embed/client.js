// A sandbox in a frame, and the messages with it. The README says under "Embedding" what each message means.

export const VERSION = 1;
const PARAMETERS = ['lesson', 'panes', 'theme', 'lang', 'seed', 'speed'];

/** Where the page is: beside this script, unless `src` says otherwise. */
export const BASE = (() => {
  const own = document.currentScript?.src;
  return own ? new URL('./', own).href : new URL('./', document.baseURI).href;
})();

/** The address of the page with what is asked of it. `options.run` is a command or a list of them. */
export function address(options, base = BASE) {
  const url = new URL('embed.html', base);
  url.searchParams.set('embed', '1');
  for (const name of PARAMETERS) if (options[name] != null && options[name] !== '') url.searchParams.set(name, options[name]);
  for (const command of [options.run ?? []].flat()) if (command.trim()) url.searchParams.append('run', command);
  if (options.readonly) url.searchParams.set('readonly', '1');
  if (url.origin !== location.origin) url.searchParams.set('origin', location.origin);
  return url;
}

/** Talks with the page in `frame`. `heard(message)` gets every message that is not the answer to a request. */
export class Client {
  constructor(frame, url, heard) {
    this.frame = frame;
    this.origin = url.protocol === 'file:' ? 'null' : url.origin;
    this.heard = heard;
    this.next = 1;
    this.waiting = new Map();
    this.restart();
    this.listener = (event) => this.receive(event);
    window.addEventListener('message', this.listener);
  }

  restart() {
    this.ready = new Promise((resolve) => { this.isReady = resolve; });
  }

  receive(event) {
    const message = event.data;
    if (event.source !== this.frame.contentWindow || event.origin !== this.origin) return;
    if (message?.capas !== VERSION) return;
    const waiting = message.id === undefined ? undefined : this.waiting.get(message.id);
    if (waiting) {
      this.waiting.delete(message.id);
      if (message.type === 'error') waiting.reject(new Error(message.message));
      else waiting.resolve(message);
    }
    if (message.type === 'ready') this.isReady(message);
    this.heard(message);
  }

  /** Posts a message once the page is there. */
  async post(type, fields = {}) {
    await this.ready;
    this.frame.contentWindow?.postMessage({ capas: VERSION, type, ...fields }, this.origin === 'null' ? '*' : this.origin);
  }

  /** Posts a message and gives its answer. */
  ask(type, fields = {}) {
    const id = this.next;
    this.next += 1;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.post(type, { ...fields, id });
    });
  }

  close() {
    window.removeEventListener('message', this.listener);
    for (const { reject } of this.waiting.values()) reject(new Error('the sandbox was closed'));
    this.waiting.clear();
  }
}
