// <capas-sandbox>: the page in a frame. It starts when it comes near the part of the document that is seen.
import { address, BASE, Client } from './client.js';

// No shadow tree: frames in one are missing from `window.frames`, where embeds find the neighbour whose compiled program
// they share. Without weight, so that any rule of the page wins.
const FRAME_STYLE = `
  :where(capas-sandbox) { display: block; height: 26rem; min-width: 0; border-radius: 10px; overflow: hidden; background: #0b101814; }
  :where(capas-sandbox[hidden]) { display: none; }
`;

export class CapasSandbox extends HTMLElement {
  static observedAttributes = ['panes'];

  #client; #near; #whenStarted; #started;

  constructor() {
    super();
    this.#whenStarted = new Promise((resolve) => { this.#started = resolve; });
  }

  connectedCallback() {
    if (this.#client) return;
    if (this.hasAttribute('manual')) return;
    if (this.hasAttribute('eager')) { this.start(); return; }
    this.#near = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.start();
    }, { rootMargin: '400px' });
    this.#near.observe(this);
  }

  disconnectedCallback() {
    this.#near?.disconnect();
    // A move in the document is not the end; the frame itself begins anew all the same, as browsers have it.
    queueMicrotask(() => {
      if (this.isConnected) return;
      this.#client?.close();
      this.#client = undefined;
      this.replaceChildren();
      this.#whenStarted = new Promise((resolve) => { this.#started = resolve; });
    });
  }

  attributeChangedCallback(name, before, after) {
    if (name === 'panes' && before !== after && after && this.#client) this.#client.post('show', { panes: after });
  }

  /** Loads the page now. */
  start() {
    if (this.#client) return;
    this.#near?.disconnect();
    const value = (name) => this.getAttribute(name) ?? undefined;
    const run = value('run')?.split(/\r?\n|;;/).map((line) => line.trim()).filter(Boolean);
    const url = address({
      lesson: value('lesson'), panes: value('panes'), theme: value('theme'), seed: value('seed'), speed: value('speed'),
      lang: value('lang') ?? (document.documentElement.lang || undefined), run, readonly: this.hasAttribute('readonly'),
    }, new URL(value('src') ?? BASE, document.baseURI).href);
    const frame = document.createElement('iframe');
    frame.title = value('title') ?? 'Capas: Docker';
    frame.allow = 'clipboard-read; clipboard-write';
    frame.src = url.href;
    this.#client = new Client(frame, url, (message) => this.#tell(message));
    Object.assign(frame.style, { display: 'block', width: '100%', height: '100%', maxWidth: 'none', margin: '0', border: '0', colorScheme: 'normal' });
    this.replaceChildren(frame);
    this.#started(this.#client);
  }

  #tell(message) {
    const { capas, type, ...detail } = message;
    if (type === 'ready') this.toggleAttribute('ready', true);
    this.dispatchEvent(new CustomEvent(`capas-${type}`, { bubbles: true, composed: true, detail }));
  }

  async #ask(type, fields) {
    if (this.isConnected) this.start();
    return (await this.#whenStarted).ask(type, fields);
  }

  /** Resolves once the prompt takes keys. */
  get ready() { return this.#whenStarted.then((client) => client.ready); }

  /** Types commands, one after the other; gives what each printed: `[{ command, output }]`. */
  async run(commands, { fast = false } = {}) {
    return (await this.#ask('run', { commands: [commands].flat(), fast })).results;
  }

  /** Types characters, as keys would: '\r' is Enter, '\x03' Ctrl-C. */
  async type(text) { (await this.#whenStarted).post('type', { text }); }

  /** Puts a file on the host. */
  async put(path, text) { await this.#ask('put', { path, text }); }

  /** What Docker holds: `{ images, containers, volumes, networks }`. */
  async state() { return (await this.#ask('state')).state; }

  /** Begins anew; resolves once the prompt takes keys again. */
  async reset() {
    const client = await this.#whenStarted;
    await client.ready;
    const answer = client.ask('reset');
    await answer;
    client.restart();
    await client.ready;
  }

  /** Gives the terminal the keyboard. */
  async focus() {
    const client = await this.#whenStarted;
    await client.ready;
    client.frame.focus();
    client.post('focus');
  }
}

if (!customElements.get('capas-sandbox')) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(FRAME_STYLE);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  customElements.define('capas-sandbox', CapasSandbox);
}
