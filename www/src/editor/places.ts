/** Where in the text of a JSON document something stands. */
import { syntaxTree } from '@codemirror/language';
import type { EditorState } from '@codemirror/state';
import type { SyntaxNode } from '@lezer/common';
import type { Path } from './schema';

const VALUES = ['Object', 'Array', 'String', 'Number', 'True', 'False', 'Null'];

const isValue = ({ name }: SyntaxNode) => VALUES.includes(name);

export function textOfNode(state: EditorState, { from, to }: { from: number; to: number }): string {
  return state.sliceDoc(from, to);
}

/** The key of a property; what is being typed has no end yet. */
export function keyOf(state: EditorState, property: SyntaxNode): string | null {
  const name = property.getChild('PropertyName');
  if (name === null) return null;
  try {
    return String(JSON.parse(textOfNode(state, name)));
  } catch {
    return null;
  }
}

export function valuesIn(list: SyntaxNode): SyntaxNode[] {
  const found = [];
  for (let child = list.firstChild; child !== null; child = child.nextSibling)
    if (isValue(child)) found.push(child);
  return found;
}

/** The way from the document down to a node that is a value. */
export function pathTo(state: EditorState, node: SyntaxNode): Path {
  const path: Path = [];
  for (let at: SyntaxNode | null = node; at !== null; at = at.parent) {
    const { parent } = at;
    if (parent?.name === 'Array' && isValue(at)) {
      const { from } = at;
      path.unshift(valuesIn(parent).findIndex((value) => value.from === from));
    } else if (at.name === 'Property') {
      path.unshift(keyOf(state, at) ?? '');
    }
  }
  return path;
}

/** The parts of a path as problems name it: `steps[2].after[0]`. */
export function partsOf(path: string): Path {
  return [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(([, quoted, index, key]) =>
    index !== undefined ? Number(index) : String(quoted ?? key),
  );
}

/** Where a path leads, or as near to it as the text goes: what is missing is missing in what is there. */
export function placeOf(state: EditorState, path: string): { from: number; to: number } {
  let node = syntaxTree(state).topNode.firstChild;
  if (node === null) return { from: 0, to: state.doc.length };
  let place: { from: number; to: number } = node;
  for (const part of partsOf(path)) {
    const next: { value: SyntaxNode | null; shown: SyntaxNode } | null = childOf(state, node, part);
    if (next === null) break;
    place = next.shown;
    if (next.value === null) break;
    node = next.value;
  }
  // Of what is long, its beginning is underlined.
  const { to } = state.doc.lineAt(place.from);
  return { from: place.from, to: Math.max(place.from, Math.min(place.to, to)) };
}

function childOf(state: EditorState, node: SyntaxNode, part: string | number) {
  if (typeof part === 'number') {
    const value = node.name === 'Array' ? valuesIn(node)[part] : undefined;
    return value === undefined ? null : { value, shown: value };
  }
  const property = node.getChildren('Property').find((each) => keyOf(state, each) === part);
  if (property === undefined) return null;
  const value = property.lastChild !== null && isValue(property.lastChild) ? property.lastChild : null;
  const isLarge = value?.name === 'Object' || value?.name === 'Array';
  return { value, shown: isLarge ? (property.getChild('PropertyName') ?? property) : (value ?? property) };
}

/** Where the text stops being JSON: a letter at least, so that it can be underlined. */
export function firstError(state: EditorState): { from: number; to: number } {
  const { length } = state.doc;
  let at = length;
  syntaxTree(state).iterate({
    enter: ({ type, from }) => {
      if (type.isError) at = Math.min(at, from);
    },
  });
  const from = Math.max(0, Math.min(at, length - 1));
  return { from, to: Math.min(length, from + 1) };
}
