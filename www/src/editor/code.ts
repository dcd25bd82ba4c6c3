/** The text editor, put together of what CodeMirror has. */
import {
  autocompletion,
  type CompletionSource,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { json, jsonLanguage } from '@codemirror/lang-json';
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, linter, lintGutter, lintKeymap } from '@codemirror/lint';
import { EditorState, type Extension } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { shown } from '../display';
import { firstError, placeOf } from './places';

export interface Problem {
  path: string;
  message: string;
}

export interface CodeOptions {
  text: string;
  label: string;
  /** What is wrong with a value that was read. */
  problemsOf: (value: unknown) => Problem[];
  changed: (text: string) => void;
  complete?: CompletionSource;
  more?: Extension;
}

/** How long after the last key what was typed is checked. */
const CHECK_MS = 200;

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--accent)' },
  { tag: tags.string, color: 'var(--done)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--waiting)' },
]);

const looks = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--surface)', fontSize: '13px', height: '100%' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-1px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', overflow: 'auto' },
  '.cm-content': { caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { color: 'var(--quiet)', backgroundColor: 'var(--raised)', border: 'none' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--accent) 6%, transparent)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    background: 'color-mix(in srgb, var(--accent) 25%, transparent)',
  },
  '.cm-tooltip': {
    color: 'var(--text)',
    backgroundColor: 'var(--raised)',
    border: '1px solid var(--line)',
    borderRadius: '6px',
    maxWidth: '32rem',
  },
  '.cm-tooltip p': { margin: '4px 10px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': {
    color: 'var(--on-accent)',
    background: 'var(--accent)',
  },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--danger)' },
});

/** Code in a shadow root: there CodeMirror adopts its style sheets, where a page's policy refuses `<style>` elements. */
export function openEditor(host: HTMLElement, options: CodeOptions): { view: EditorView; close: () => void } {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
  const extensions: Extension[] = [
    lineNumbers(),
    lintGutter(),
    history(),
    drawSelection(),
    indentOnInput(),
    bracketMatching(),
    closeBrackets(),
    highlightActiveLine(),
    EditorView.lineWrapping,
    autocompletion({ activateOnTyping: true }),
    json(),
    syntaxHighlighting(colours),
    looks,
    linter((view) => check(view, options.problemsOf), { delay: CHECK_MS }),
    keymap.of([
      ...closeBracketsKeymap,
      ...defaultKeymap,
      ...historyKeymap,
      ...completionKeymap,
      ...lintKeymap,
    ]),
    EditorView.contentAttributes.of({ 'aria-label': options.label, tabindex: '0' }),
    EditorView.updateListener.of(({ docChanged, state }) => {
      if (docChanged) options.changed(state.doc.toString());
    }),
    options.complete === undefined ? [] : jsonLanguage.data.of({ autocomplete: options.complete }),
    options.more ?? [],
  ];
  const view = new EditorView({
    state: EditorState.create({ doc: options.text, extensions }),
    root,
    parent: root,
  });
  return { view, close: () => view.destroy() };
}

function check(view: EditorView, problemsOf: CodeOptions['problemsOf']): Diagnostic[] {
  let value: unknown;
  try {
    value = JSON.parse(view.state.doc.toString());
  } catch (error) {
    const message = `Not JSON: ${shown((error as Error).message)}`;
    return [{ ...firstError(view.state), severity: 'error', message }];
  }
  return problemsOf(value).map(({ path, message }) => ({
    ...placeOf(view.state, path),
    severity: 'error',
    message: path === '' ? message : `${path}: ${message}`,
  }));
}
