// The plugin for reveal.js 3.8, 4 and 5: code blocks of a deck become runnable, in one machine for all slides.
//
// One script tag is all a deck needs; it attaches itself to the global `Reveal`, or is given as `plugins: [CapasReveal]`
// where there is none. The machine is a <capas-sandbox> in a dock beside the slides, outside of what reveal scales.
import { kindOf, splitBlock } from './blocks.js';
import './element.js';

const script = document.currentScript;

const TEXTS = {
  es: {
    run: 'Ejecutar', build: 'Construir', dock: 'Terminal', close: 'Cerrar la terminal', bottom: 'Poner abajo', side: 'Poner al lado',
    reset: 'Empezar de nuevo', again: 'Pulsa otra vez para borrarlo todo', panes: 'Terminal y capas', help: 'Mayús + Esc vuelve a las diapositivas',
    resize: 'Tamaño del panel', working: 'Ejecutando…',
  },
  en: {
    run: 'Run', build: 'Build', dock: 'Terminal', close: 'Close the terminal', bottom: 'Put below', side: 'Put beside',
    reset: 'Start over', again: 'Press again to erase everything', panes: 'Terminal and layers', help: 'Shift + Esc returns to the slides',
    resize: 'Size of the panel', working: 'Running…',
  },
};

const DECK_STYLE = `
.reveal pre.capas-block { position: relative; }
.reveal .capas-run { position: absolute; z-index: 3; right: 0; bottom: 100%; display: inline-flex; align-items: center; gap: .45em;
  margin: 0; padding: .3em .8em; border: 0; border-radius: 6px 6px 0 0; background: #1757c9; color: #fff;
  font: 600 max(13px, .7em)/1.25 system-ui, sans-serif; letter-spacing: 0; text-transform: none; cursor: pointer; }
.reveal .capas-run:hover { background: #2b6be0; }
.reveal .capas-run:focus-visible { outline: 3px solid #7db4ff; outline-offset: 1px; }
.reveal .capas-run::before { content: ""; border: .38em solid transparent; border-left: .6em solid currentColor; border-right: 0; }
.reveal .capas-run[aria-busy=true]::before { width: .55em; height: .55em; border: .14em solid; border-right-color: transparent;
  border-radius: 50%; animation: capas-turn 1s linear infinite; }
.reveal.overview .capas-run { display: none; }
.reveal .slides section .fragment.capas-step { opacity: .5; visibility: inherit; transition: opacity .2s; }
.reveal .slides section .fragment.capas-step.visible { opacity: 1; }
.reveal .slides section .fragment.capas-step b { font-weight: 700; }
.capas-dock { position: absolute; z-index: 40; box-sizing: border-box; display: flex; flex-direction: column; background: #121925;
  color: #e6ecf5; color-scheme: dark; border: solid #3a4a63; border-width: 1px 0 0; font: 14px/1.3 system-ui, sans-serif; text-align: start; }
.capas-dock[data-theme=light] { background: #fff; color: #16202d; color-scheme: light; border-color: #bcc7d3; }
body > .capas-dock, body > .capas-open { position: fixed; }
.capas-dock[data-side=bottom] { inset: auto 0 0 0; height: var(--capas-size); }
.capas-dock[data-side=right] { inset: 0 0 0 auto; width: var(--capas-size); border-width: 0 0 0 1px; }
.capas-dock[data-closed] { visibility: hidden; pointer-events: none; opacity: 0; }
.capas-bar { display: flex; align-items: center; gap: 4px; padding: 2px 6px 2px 12px; min-height: 34px; }
.capas-bar strong { font-weight: 650; }
.capas-bar span { flex: 1; overflow: hidden; white-space: nowrap; text-overflow: ellipsis; margin-inline-start: 10px; opacity: .75; font-size: 12px; }
.capas-bar button, .capas-open { display: grid; place-items: center; min-width: 30px; height: 28px; margin: 0; padding: 0 6px; border: 0;
  border-radius: 6px; background: none; color: inherit; font: inherit; cursor: pointer; }
.capas-bar button:hover { background: #8883; }
.capas-bar button:focus-visible, .capas-open:focus-visible { outline: 2px solid #7db4ff; outline-offset: 1px; }
.capas-bar button[data-armed] { background: #b3261e; color: #fff; }
.capas-bar svg, .capas-open svg { width: 16px; height: 16px; fill: none; stroke: currentColor; stroke-width: 1.5; }
.capas-dock capas-sandbox { flex: 1; height: auto; min-height: 0; border-radius: 0; background: none; }
.capas-grip { position: absolute; z-index: 1; touch-action: none; background: none; border: 0; padding: 0; }
.capas-grip:hover, .capas-grip:focus-visible { background: #7db4ff; outline: 0; }
[data-side=bottom] > .capas-grip { inset: -3px 0 auto; height: 6px; cursor: ns-resize; }
[data-side=right] > .capas-grip { inset: 0 auto 0 -3px; width: 6px; cursor: ew-resize; }
.capas-dock[data-dragging] capas-sandbox { pointer-events: none; }
.capas-open { position: absolute; z-index: 31; inset: auto auto 12px 12px; display: inline-flex; gap: 7px; height: 34px; padding: 0 12px;
  background: #121925e6; color: #e6ecf5; border: 1px solid #ffffff30; font: 600 13px/1 system-ui, sans-serif; }
.capas-open[hidden] { display: none; }
@keyframes capas-turn { to { transform: rotate(1turn); } }
@media (prefers-reduced-motion: reduce) { .reveal .capas-run[aria-busy=true]::before { animation: none; } }
@media print { .capas-run, .capas-dock, .capas-open { display: none !important; } }
`;

const ICONS = {
  close: 'M4 4l8 8M12 4l-8 8', bottom: 'M2.5 2.5h11v11h-11zM2.5 9h11', right: 'M2.5 2.5h11v11h-11zM9 2.5v11',
  reset: 'M3 8a5 5 0 1 0 1.6-3.7M3 2.5v3h3', panes: 'M2 5.5l6-3 6 3-6 3zM2 9l6 3 6-3', dock: 'M2 3h12v10H2zM4.5 6l2 2-2 2M8 10.5h3.5',
};

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Keys that mean something to `made` do not turn slides as well. */
function keepsKeys(made, keys) {
  made.addEventListener('keydown', (event) => {
    if (!keys || keys.includes(event.key)) event.stopPropagation();
  });
  return made;
}

/** The text of a code block, also after highlight.js has put its lines into a table. */
function sourceOf(code) {
  const rows = code.querySelectorAll('td.hljs-ln-code');
  return rows.length ? [...rows].map((row) => row.textContent.replace(/\n$/, '')).join('\n') : code.textContent;
}

class Deck {
  constructor(reveal) {
    this.reveal = reveal;
    this.options = { side: 'bottom', ...script?.dataset, ...(reveal.getConfig().capas ?? {}) };
    const language = this.options.lang ?? document.documentElement.lang ?? '';
    this.language = /^en\b/i.test(language) ? 'en' : 'es';
    this.texts = TEXTS[this.language];
    this.wrapper = reveal.getRevealElement?.() ?? document.querySelector('.reveal');
    this.viewport = reveal.getViewportElement?.() ?? this.wrapper.parentElement ?? document.body;
    const query = new URLSearchParams(location.search);
    // The speaker view shows the deck twice: what is on the wall, and what comes next.
    this.isReceiver = query.has('receiver');
    this.isPreview = this.isReceiver && !query.has('postMessageEvents');
    this.isPrint = /print-pdf/i.test(location.search) || Boolean(reveal.isPrintingPDF?.() || reveal.isPrintView?.());
    this.prepared = undefined;
    this.blocks = new Map();
    this.typed = [];
    this.queue = Promise.resolve();
  }

  on(name, listener) { (this.reveal.on ?? this.reveal.addEventListener).call(this.reveal, name, listener); }

  start() {
    // The plugin list and the global may both have led here.
    if (this.isPrint || this.isPreview || this.wrapper.capasDeck) return;
    this.wrapper.capasDeck = this;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(DECK_STYLE);
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    this.findBlocks();
    if (!this.blocks.size && !this.wrapper.querySelector('[data-capas-state]')) return;
    this.addDock();
    this.on('slidechanged', () => this.arrive());
    this.on('fragmentshown', (event) => this.step(event));
    this.reveal.addKeyBinding?.({ keyCode: 84, key: 'T', description: this.texts.dock }, () => this.toggle());
    this.joinViews();
    this.arrive();
  }

  // --- blocks ---

  findBlocks() {
    let stepped = false;
    for (const pre of this.wrapper.querySelectorAll('.slides section pre')) {
      // Line highlights make copies of a block; all of them are the same commands.
      const code = pre.querySelector(':scope > code');
      if (!code || pre.closest('aside.notes') || this.blocks.has(pre) || code.dataset.capas === 'off' || pre.dataset.capas === 'off') continue;
      const kind = kindOf([...code.classList, ...pre.classList, code.dataset.language ?? '']);
      if (!kind) continue;
      const block = splitBlock(kind, sourceOf(code));
      if (block.kind === 'commands' && !block.steps.length) continue;
      block.file = code.dataset.capasFile ?? pre.dataset.capasFile ?? 'Dockerfile';
      block.then = code.dataset.capasThen ?? pre.dataset.capasThen ?? `docker build -f ${block.file} .`;
      this.blocks.set(pre, block);
      pre.classList.add('capas-block');
      const text = block.kind === 'dockerfile' ? this.texts.build : this.texts.run;
      const button = keepsKeys(element('button', { type: 'button', className: 'capas-run', textContent: text }), ['Enter', ' ']);
      button.title = commandsOf(block).join('\n');
      button.addEventListener('click', (event) => {
        // A clicked button would take the next Space, which is to turn the slide.
        if (event.detail > 0) button.blur();
        this.request(pre, button);
      });
      pre.append(button);
      if ([code.dataset.capas, pre.dataset.capas].includes('step') && block.kind === 'commands') {
        markSteps(code, block);
        stepped = true;
      }
    }
    if (stepped) this.reveal.sync?.();
  }

  step(event) {
    if (this.isReceiver) return;
    for (const fragment of event.fragments ?? [event.fragment]) {
      const step = fragment.dataset?.capasStep;
      const pre = fragment.closest?.('pre');
      const block = this.blocks.get(pre);
      if (step === undefined || !block) continue;
      this.run([block.steps[Number(step)].command], pre, pre.querySelector('.capas-run'));
    }
  }

  // --- the machine ---

  /** A button was pressed: what the speaker presses runs on the wall and comes back from there. */
  request(pre, button) {
    if (this.isReceiver && this.channel) this.channel.postMessage({ run: [...this.blocks.keys()].indexOf(pre) });
    else this.run(commandsOf(this.blocks.get(pre)), pre, button);
  }

  /** Runs commands after all that were asked for before. */
  run(commands, pre, button) {
    this.open();
    button?.setAttribute('aria-busy', 'true');
    this.queue = this.queue
      .then(() => this.prepare(pre?.closest('section')))
      .then(() => this.sandbox.run(commands))
      .catch((error) => console.warn('capas:', error))
      .finally(() => button?.removeAttribute('aria-busy'));
    return this.queue;
  }

  /** Brings the machine into the state that a slide asks for, unless it is the one that it was last brought into. */
  async prepare(section) {
    const asking = section?.closest('[data-capas-state]');
    if (!asking || this.prepared === asking) return;
    this.prepared = asking;
    const wanted = asking.dataset.capasState.trim();
    let commands = [];
    if (wanted === 'previous') {
      for (const [pre, block] of this.blocks) {
        if (asking.compareDocumentPosition(pre) & Node.DOCUMENT_POSITION_PRECEDING) commands.push(...commandsOf(block));
      }
    } else if (wanted !== 'fresh') commands = wanted.split(/\r?\n|;;/).map((line) => line.trim()).filter(Boolean);
    await this.reset();
    this.prepared = asking;
    if (commands.length) await this.sandbox.run(commands, { fast: true });
  }

  async reset() {
    this.typed = [];
    this.prepared = undefined;
    this.channel?.postMessage({ reset: true });
    await this.sandbox.reset();
  }

  /** The machine starts when a slide that can use it is in sight or the next one. */
  arrive() {
    const here = this.reveal.getCurrentSlide();
    const all = [...this.wrapper.querySelectorAll('.slides section')].filter((slide) => !slide.querySelector('section'));
    const at = all.indexOf(here);
    const near = all.slice(Math.max(at, 0), at + 2);
    if (near.some((slide) => slide.querySelector('.capas-block') || slide.closest('[data-capas-state]'))) this.sandbox.start();
  }

  // --- the dock ---

  addDock() {
    const { texts } = this;
    const button = (name, text, act) => {
      const made = element('button', { type: 'button', title: text, ariaLabel: text }, icon(name));
      made.addEventListener('click', act);
      return made;
    };
    this.sandbox = element('capas-sandbox');
    for (const name of ['theme', 'seed', 'speed', 'src', 'lesson', 'readonly']) {
      if (this.options[name] !== undefined) this.sandbox.setAttribute(name, this.options[name]);
    }
    const theme = this.options.theme ?? (this.isDark() ? 'dark' : 'light');
    this.sandbox.setAttribute('theme', theme);
    this.sandbox.setAttribute('lang', this.language);
    this.sandbox.setAttribute('panes', this.options.panes ?? 'terminal,layers');
    const panes = button('panes', texts.panes, () => {
      const all = this.sandbox.getAttribute('panes') === 'terminal' ? 'terminal,layers' : 'terminal';
      this.sandbox.setAttribute('panes', all);
    });
    const side = button('right', texts.side, () => this.place(this.dock.dataset.side === 'right' ? 'bottom' : 'right'));
    const reset = button('reset', texts.reset, () => {
      if (!reset.hasAttribute('data-armed')) {
        reset.setAttribute('data-armed', '');
        reset.title = texts.again;
        setTimeout(() => { reset.removeAttribute('data-armed'); reset.title = texts.reset; }, 3000);
        return;
      }
      reset.removeAttribute('data-armed');
      this.reset();
    });
    this.sideButton = side;
    const bar = element('div', { className: 'capas-bar' }, element('strong', { textContent: 'Capas' }),
      element('span', { textContent: texts.help }), panes, side, reset, button('close', texts.close, () => this.close()));
    const grip = keepsKeys(element('button', { type: 'button', className: 'capas-grip', title: texts.resize, ariaLabel: texts.resize }));
    this.dock = element('aside', { className: 'capas-dock', ariaLabel: texts.dock }, grip, bar, this.sandbox);
    this.dock.dataset.theme = theme === 'light' ? 'light' : 'dark';
    this.dock.dataset.closed = '';
    this.dock.inert = true;
    // No attribute `eager`: the plugin says when it starts.
    this.sandbox.setAttribute('manual', '');
    keepsKeys(this.dock);
    this.opener = keepsKeys(element('button', { type: 'button', className: 'capas-open' }, icon('dock'), texts.dock), ['Enter', ' ']);
    this.opener.addEventListener('click', () => { this.open(); this.sandbox.focus(); });
    this.viewport.append(this.dock, this.opener);
    this.sandbox.addEventListener('capas-leave', () => this.leave());
    this.sandbox.addEventListener('capas-typed', (event) => this.tellTyped(event.detail));
    this.sizes = { bottom: 0.42, right: 0.42 };
    this.place(this.options.side === 'right' ? 'right' : 'bottom');
    this.dragBy(grip);
    window.addEventListener('resize', () => this.layout());
  }

  isDark() {
    for (const place of [this.viewport, document.body, document.documentElement]) {
      const numbers = getComputedStyle(place).backgroundColor.match(/[\d.]+/g)?.map(Number);
      if (numbers && (numbers.length < 4 || numbers[3] > 0.5)) {
        return numbers[0] * 0.3 + numbers[1] * 0.59 + numbers[2] * 0.11 < 128;
      }
    }
    return false;
  }

  dragBy(grip) {
    const sizeAt = (x, y) => {
      const box = this.viewport === document.body ? new DOMRect(0, 0, innerWidth, innerHeight) : this.viewport.getBoundingClientRect();
      return this.dock.dataset.side === 'right' ? (box.right - x) / box.width : (box.bottom - y) / box.height;
    };
    grip.addEventListener('pointerdown', (event) => {
      grip.setPointerCapture(event.pointerId);
      this.dock.dataset.dragging = '';
    });
    grip.addEventListener('pointermove', (event) => {
      if (grip.hasPointerCapture(event.pointerId)) this.resize(sizeAt(event.clientX, event.clientY));
    });
    grip.addEventListener('lostpointercapture', () => { delete this.dock.dataset.dragging; });
    grip.addEventListener('keydown', (event) => {
      const more = { ArrowUp: 0.05, ArrowLeft: 0.05, ArrowDown: -0.05, ArrowRight: -0.05 }[event.key];
      if (more) this.resize(this.sizes[this.dock.dataset.side] + more);
    });
  }

  resize(part) {
    this.sizes[this.dock.dataset.side] = Math.min(0.85, Math.max(0.15, part));
    this.layout();
  }

  place(side) {
    this.dock.dataset.side = side;
    const other = side === 'right' ? 'bottom' : 'right';
    const text = side === 'right' ? this.texts.bottom : this.texts.side;
    this.sideButton.replaceChildren(icon(other));
    this.sideButton.title = this.sideButton.ariaLabel = text;
    this.layout();
  }

  get isOpen() { return !('closed' in this.dock.dataset); }

  open() {
    if (this.isOpen) return;
    delete this.dock.dataset.closed;
    this.dock.inert = false;
    this.opener.hidden = true;
    this.sandbox.start();
    this.layout();
    this.channel?.postMessage({ open: true });
  }

  close() {
    if (!this.isOpen) return;
    this.dock.dataset.closed = '';
    this.dock.inert = true;
    this.opener.hidden = false;
    this.leave();
    this.layout();
    this.channel?.postMessage({ open: false });
  }

  toggle() { if (this.isOpen) this.close(); else this.open(); }

  /** The deck has the keyboard again. */
  leave() {
    document.activeElement?.blur?.();
    window.focus();
  }

  /** The slides take the room that the dock leaves. */
  layout() {
    const { side } = this.dock.dataset;
    const whole = side === 'right' ? this.viewport.clientWidth || innerWidth : this.viewport.clientHeight || innerHeight;
    const size = Math.round(this.sizes[side] * whole);
    this.dock.style.setProperty('--capas-size', `${size}px`);
    // In reveal 5's scroll view the slides are the page itself: there the dock covers its end.
    const shares = this.isOpen && !this.viewport.classList.contains('reveal-scroll');
    this.wrapper.style.height = shares && side === 'bottom' ? `calc(100% - ${size}px)` : '';
    this.wrapper.style.width = shares && side === 'right' ? `calc(100% - ${size}px)` : '';
    this.reveal.layout();
  }

  // --- the speaker view ---

  /** What is typed in one view is typed in the other: both machines began with the same seed, so they stay the same. */
  joinViews() {
    if (typeof BroadcastChannel === 'undefined') return;
    let name = `capas-${Math.random().toString(36).slice(2)}`;
    if (this.isReceiver) {
      try { name = window.parent.opener?.capasChannel ?? name; } catch { /* another origin */ }
    } else window.capasChannel = name;
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = ({ data }) => this.hear(data);
    if (this.isReceiver) this.channel.postMessage({ hello: true });
  }

  tellTyped({ console: at, text }) {
    if (at !== 0) return;
    this.typed.push(text);
    this.channel?.postMessage({ typed: text });
  }

  async hear(data) {
    if (data.typed !== undefined) {
      this.typed.push(data.typed);
      this.sandbox.start();
      this.sandbox.type(data.typed);
    } else if (data.open !== undefined) {
      if (data.open) this.open(); else this.close();
    } else if (data.reset) {
      this.typed = [];
      this.sandbox.reset();
    } else if (data.run !== undefined && !this.isReceiver) {
      const pre = [...this.blocks.keys()][data.run];
      if (pre) this.run(commandsOf(this.blocks.get(pre)), pre, pre.querySelector('.capas-run'));
    } else if (data.hello && !this.isReceiver) {
      this.channel.postMessage({ world: this.typed.join(''), isOpen: this.isOpen });
    } else if (data.world !== undefined && this.isReceiver && !this.typed.length) {
      if (data.isOpen) this.open();
      if (!data.world) return;
      this.typed = [data.world];
      this.sandbox.start();
      this.sandbox.type(data.world);
    }
  }
}

/** The commands that a block's button types. A Dockerfile is written by a here-document, and built. */
function commandsOf(block) {
  if (block.kind !== 'dockerfile') return block.steps.map((step) => step.command);
  let end = 'EOF';
  while (block.text.split('\n').includes(end)) end += 'F';
  return [`cat > ${block.file} <<'${end}'\n${block.text}${end}`, block.then];
}

/** Makes a fragment of each command and its output. */
function markSteps(code, block) {
  const lines = sourceOf(code).replace(/\r\n?/g, '\n').replace(/\n+$/, '').split('\n');
  // In reveal 3 highlight.js comes later than this, and would take the fragments away.
  code.className = 'hljs nohighlight';
  code.setAttribute('data-noescape', '');
  code.replaceChildren();
  const first = block.steps[0].from;
  if (first > 0) code.append(`${lines.slice(0, first).join('\n')}\n`);
  block.steps.forEach((step, at) => {
    const end = block.steps[at + 1]?.from ?? lines.length;
    const part = element('span', { className: 'fragment capas-step' },
      element('b', { textContent: lines.slice(step.from, step.to).join('\n') }), '\n');
    part.dataset.capasStep = String(at);
    if (step.to < end) part.append(`${lines.slice(step.to, end).join('\n')}\n`);
    code.append(part);
  });
}

const attached = new WeakSet();

function attach(reveal) {
  if (attached.has(reveal)) return;
  attached.add(reveal);
  const start = () => new Deck(reveal).start();
  if (reveal.isReady?.()) start();
  else (reveal.on ?? reveal.addEventListener).call(reveal, 'ready', start);
}

window.CapasReveal = {
  id: 'capas',
  init: (reveal) => attach(reveal ?? window.Reveal),
};

// The deck may set its global up before or after this script.
if (window.Reveal) attach(window.Reveal);
else for (const name of ['DOMContentLoaded', 'load']) window.addEventListener(name, () => window.Reveal && attach(window.Reveal));
