// Code blocks of slides: which of their lines are commands and which are output.
//
// The same rules, in Rust, are in src/lesson/slides.rs (`capas test deck.md`); tests/decks/blocks.json holds both to them.

const SHELLS = new Set(['bash', 'sh', 'shell', 'zsh', 'shell-session', 'shellsession']);
const CONSOLES = new Set(['console', 'terminal']);
const DOCKERFILES = new Set(['dockerfile', 'docker']);

// What may stand before the `$`, `#` or `>` of a prompt: user@host:~, root@3f2a:/#, / #, bash-5.1$, PS C:\>.
const PROMPT = /^(?:\S+@\S+[: ]?\S*\s?|\/\S*\s|~\S*\s?|(?:ba)?sh-[\d.]+|PS [A-Za-z]:\\[^>]*|[A-Za-z]:\\[^>]*)?([$#>])(?:\s+(.*))?$/;

/** What a block's language makes of it: 'shell', 'console', 'dockerfile', or undefined if it can't be run. */
export function kindOf(names) {
  for (const name of names) {
    const language = name.toLowerCase().replace(/^(?:lang|language)-/, '');
    if (SHELLS.has(language)) return 'shell';
    if (CONSOLES.has(language)) return 'console';
    if (DOCKERFILES.has(language)) return 'dockerfile';
  }
  return undefined;
}

/** Whether lines without any prompt are a Dockerfile that was marked as something else. */
function looksLikeDockerfile(lines) {
  const first = lines.find((line) => line.trim() && !line.trim().startsWith('#'));
  return first !== undefined && /^\s*(?:FROM\s+\S|ARG\s+\w+(?:=|\s*$))/.test(first)
    && lines.some((line) => /^\s*FROM\s+\S/.test(line));
}

/**
 * Splits a block. Gives `{ kind: 'dockerfile', text }`, or `{ kind: 'commands', steps }`, where a step is
 * `{ command, output, from, to }`: lines `from` to `to` (excluded) hold the command, and `output` are the lines after it.
 */
export function splitBlock(kind, source) {
  const text = source.replace(/\r\n?/g, '\n').replace(/\n+$/, '');
  const lines = text.split('\n');
  if (kind === 'dockerfile') return text.trim() ? { kind, text: `${text}\n` } : { kind: 'commands', steps: [] };
  const marks = lines.map((line) => PROMPT.exec(line));
  // `#` is the prompt of a root shell in a console, or after a command that opened one; in a script it is a comment.
  const prompts = marks.some((mark) => mark && mark[1] !== '#' && mark[2]);
  const bare = (line) => /^#(?:\s|$)/.test(line);
  const rooted = marks.some((mark, at) => mark && mark[1] === '#' && mark[2] && !bare(lines[at]));
  if (!prompts && !rooted && kind !== 'console') {
    if (looksLikeDockerfile(lines)) return { kind: 'dockerfile', text: `${text}\n` };
    return { kind: 'commands', steps: scriptSteps(lines) };
  }
  const steps = [];
  let inContainer = false;
  for (let at = 0; at < lines.length;) {
    const mark = marks[at];
    const comment = bare(lines[at]) && !inContainer && kind !== 'console';
    if (mark && mark[2] && !comment) {
      const end = commandEnd(lines, at, mark[2]);
      const command = continued(lines.slice(at, end), mark[2]);
      steps.push({ command, output: [], from: at, to: end });
      if (opensShell(command)) inContainer = true;
      else if (/^exit\b/.test(command)) inContainer = false;
      at = end;
    } else {
      if (steps.length && !comment && !(mark && !mark[2])) steps[steps.length - 1].output.push(lines[at]);
      at += 1;
    }
  }
  for (const step of steps) while (step.output.length && !step.output[step.output.length - 1].trim()) step.output.pop();
  return { kind: 'commands', steps };
}

/** Every command of a script: lines without prompts. Comments are not commands. */
function scriptSteps(lines) {
  const steps = [];
  for (let at = 0; at < lines.length;) {
    if (!lines[at].trim() || lines[at].trim().startsWith('#')) { at += 1; continue; }
    const end = commandEnd(lines, at, lines[at]);
    steps.push({ command: continued(lines.slice(at, end), lines[at]), output: [], from: at, to: end });
    at = end;
  }
  return steps;
}

function opensShell(command) {
  return /^(?:sudo\s+)?docker\b.*\s(?:-it|-ti|-i\s+-t|-t\s+-i|--interactive\s+--tty)\b/.test(command)
    || /^sudo\s+(?:su|-i|-s)\b/.test(command);
}

/** The line after a command that begins at line `at`: over backslashes, open quotes, `&&` and `|`, and here-documents. */
function commandEnd(lines, at, first) {
  let text = first;
  let end = at + 1;
  while (end < lines.length && isOpen(text)) { text += `\n${unprompted(lines[end])}`; end += 1; }
  for (const { word, tabs } of hereDocuments(text)) {
    while (end < lines.length) {
      const line = unprompted(lines[end]);
      end += 1;
      if ((tabs ? line.replace(/^\t+/, '') : line) === word) break;
    }
  }
  return end;
}

/** The command's text: prompts of continuation lines are taken away if each of them has one. */
function continued(lines, first) {
  const rest = lines.slice(1);
  const prompted = rest.length > 0 && rest.every((line) => /^>(?: |$)/.test(line));
  const text = [first, ...rest.map((line) => (prompted ? unprompted(line) : line))].join('\n');
  return text.replace(/\s+$/, '');
}

function unprompted(line) { return line.replace(/^> ?/, ''); }

/** Whether a shell would ask for another line after `text`. */
function isOpen(text) {
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const c = text[at];
    if (quote === "'") { if (c === "'") quote = ''; continue; }
    if (c === '\\') {
      if (at === text.length - 1) return true;
      at += 1;
      continue;
    }
    if (quote) { if (c === quote) quote = ''; continue; }
    if (c === '"' || c === "'" || c === '`') quote = c;
    else if (c === '#' && (at === 0 || /\s/.test(text[at - 1]))) {
      const newline = text.indexOf('\n', at);
      if (newline < 0) return false;
      at = newline;
    }
  }
  return quote !== '' || /(?:&&|\|\|?)\s*$/.test(text);
}

function hereDocuments(text) {
  const found = [];
  for (const match of text.matchAll(/(?<!<)<<(-?)\s*(?:'([^']+)'|"([^"]+)"|\\?([\w.-]+))/g)) {
    found.push({ tabs: match[1] === '-', word: match[2] ?? match[3] ?? match[4] });
  }
  return found;
}
