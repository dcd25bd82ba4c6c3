/** What the editor knows of plans: what can stand where, and what it means. */
import type { Completion, CompletionContext, CompletionResult } from '@codemirror/autocomplete';
import { syntaxTree } from '@codemirror/language';
import type { EditorState } from '@codemirror/state';
import { hoverTooltip } from '@codemirror/view';
import type { SyntaxNode } from '@lezer/common';
import { shown, textOf } from '../display';
import { keyOf, pathTo, textOfNode, valuesIn } from './places';
import { type Path, type Schema, schemasAt, valuesOf } from './schema';

/** Names that the orchestrator knows. */
export interface Known {
  agents: string[];
  tools: string[];
}

const OPENING: Record<string, string> = { object: '{}', array: '[]', string: '""' };

/** Completes keys and values of a plan. */
export function completePlan(known: Known) {
  return (context: CompletionContext): CompletionResult | null => {
    const { state, pos, explicit } = context;
    const node = around(syntaxTree(state).resolveInner(pos, -1));
    const word = context.matchBefore(/"?[\w-]*/);
    if (!explicit && (word === null || word.from === word.to)) return null;
    const from = word?.from ?? pos;
    const object = objectAround(node);
    const property = propertyAround(node);
    if (object !== null && (property === null || pos <= nameEnd(property))) {
      return {
        from,
        to: endOfWord(state, node, pos),
        options: keysFor(state, object),
        validFor: /^"?[\w-]*$/,
      };
    }
    const list = node.name === 'Array' ? node : node.parent?.name === 'Array' ? node.parent : null;
    const path =
      list !== null ? [...pathTo(state, list), 0] : property !== null ? pathTo(state, property) : null;
    if (path === null) return null;
    const options = valuesFor(state, path, known);
    return options.length === 0
      ? null
      : { from, to: endOfWord(state, node, pos), options, validFor: /^"?[\w-]*$/ };
  };
}

/** Brackets and commas are nodes of their own: what counts is what they stand in. */
function around(node: SyntaxNode): SyntaxNode {
  return /^[A-Z⚠]/.test(node.name) || node.parent === null ? node : node.parent;
}

function objectAround(node: SyntaxNode): SyntaxNode | null {
  if (node.name === 'Object') return node;
  if (node.name === 'PropertyName') return node.parent?.parent ?? null;
  return node.type.isError && node.parent?.name === 'Object' ? node.parent : null;
}

function propertyAround(node: SyntaxNode): SyntaxNode | null {
  for (let at: SyntaxNode | null = node; at !== null; at = at.parent) {
    if (at.name === 'Property') return at;
    if (at.name === 'Object' || at.name === 'Array') return null;
  }
  return null;
}

const nameEnd = (property: SyntaxNode) => property.getChild('PropertyName')?.to ?? property.to;

/** The rest of the word under the cursor is replaced too, with the quotation mark that ends it. */
function endOfWord(state: EditorState, node: SyntaxNode, pos: number): number {
  const isText = node.name === 'String' || node.name === 'PropertyName';
  if (!isText) return pos;
  const rest = state.sliceDoc(pos, Math.min(node.to, state.doc.lineAt(pos).to));
  return /^[\w-]*"$/.test(rest) ? pos + rest.length : pos;
}

function keysFor(state: EditorState, object: SyntaxNode): Completion[] {
  const present = new Set(object.getChildren('Property').map((each) => keyOf(state, each)));
  const found = new Map<string, Completion>();
  for (const { properties = {}, required = [] } of schemasAt(pathTo(state, object))) {
    for (const [key, schema] of Object.entries(properties)) {
      if (present.has(key)) continue;
      const { description = '' } = schema;
      found.set(key, {
        label: `"${key}"`,
        displayLabel: key,
        type: 'property',
        apply: `"${key}": ${startOf(schema)}`,
        info: description,
        boost: required.includes(key) ? 10 : 0,
      });
    }
  }
  return [...found.values()];
}

/** With what the value of a key begins. */
function startOf(schema: Schema): string {
  const [value] = valuesOf(schema);
  if (schema.default !== undefined && value !== undefined) return textOf(value);
  const { type = schema.$ref === undefined ? undefined : 'object' } = schema;
  return typeof type === 'string' ? (OPENING[type] ?? '') : '';
}

function valuesFor(state: EditorState, path: Path, known: Known): Completion[] {
  const key = path.findLast((part) => typeof part === 'string');
  const names =
    key === 'agent' ? known.agents : key === 'tools' ? known.tools : key === 'after' ? stepIds(state) : [];
  const values = schemasAt(path).flatMap(valuesOf);
  return [...new Set([...names, ...values])].map((value) => ({
    label: textOf(value),
    type: typeof value === 'string' ? 'text' : 'keyword',
  }));
}

function stepIds(state: EditorState): string[] {
  const plan = syntaxTree(state).topNode.getChild('Object');
  const steps = plan
    ?.getChildren('Property')
    .find((each) => keyOf(state, each) === 'steps')
    ?.getChild('Array');
  return (steps ? valuesIn(steps) : []).flatMap((step) => {
    const id = step
      .getChildren('Property')
      .find((each) => keyOf(state, each) === 'id')
      ?.getChild('String');
    try {
      return id ? [String(JSON.parse(textOfNode(state, id)))] : [];
    } catch {
      return [];
    }
  });
}

/** Says what a key means. */
export const explainPlan = hoverTooltip((view, pos, side) => {
  const node = syntaxTree(view.state).resolveInner(pos, side);
  if (node.name !== 'PropertyName' || node.parent === null) return null;
  const [schema] = schemasAt(pathTo(view.state, node.parent));
  if (schema?.description === undefined) return null;
  const { description, default: usual, examples } = schema;
  return {
    pos: node.from,
    end: node.to,
    above: true,
    create: () => {
      const dom = document.createElement('div');
      dom.className = 'cm-explained';
      const lines = [
        description,
        ...(usual === undefined ? [] : [`Default: ${shown(usual)}`]),
        ...(examples?.[0] === undefined ? [] : [`Example: ${shown(examples[0])}`]),
      ];
      for (const line of lines) dom.appendChild(document.createElement('p')).textContent = line;
      return { dom };
    },
  };
});
