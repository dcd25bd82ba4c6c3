/** Where the steps of a plan stand. */
import { layout as dagre, Graph } from '@dagrejs/dagre';
import type { PlanStep } from '../../history';

export const WIDTH = 228;
export const HEIGHT = 86;
const GAP_X = 32;
const GAP_Y = 52;

/** Above so many steps the better drawing takes too long: 150 steps take a third of a second, 1,000 ten. */
const MOST_FOR_DAGRE = 150;

export interface Place {
  x: number;
  y: number;
}

/** The upper left corner of each step, in the order of the steps. */
export function placesOf(steps: readonly PlanStep[]): Place[] {
  if (steps.length <= MOST_FOR_DAGRE) {
    try {
      return withDagre(steps);
    } catch {
      // Drawn more simply.
    }
  }
  return inLayers(steps);
}

function withDagre(steps: readonly PlanStep[]): Place[] {
  const graph = new Graph();
  graph.setGraph({ rankdir: 'TB', nodesep: GAP_X, ranksep: GAP_Y });
  graph.setDefaultEdgeLabel(() => ({}));
  // Named by their place: ids may be words of JavaScript's.
  const names = new Map(steps.map(({ id }, place) => [id, `s${place}`]));
  for (const name of names.values()) graph.setNode(name, { width: WIDTH, height: HEIGHT });
  for (const { id, after } of steps) {
    for (const before of after) graph.setEdge(names.get(before) as string, names.get(id) as string);
  }
  dagre(graph);
  return steps.map((_, place) => {
    const { x, y } = graph.node(`s${place}`);
    return { x: x - WIDTH / 2, y: y - HEIGHT / 2 };
  });
}

/** How often the layers are put in the order of what they come after. */
const SWEEPS = 2;

/** Each step a layer below all that it comes after, near the middle of them. */
export function inLayers(steps: readonly PlanStep[]): Place[] {
  const layers = layersOf(steps);
  const column = new Map<string, number>();
  for (let sweep = 0; sweep <= SWEEPS; sweep++) {
    for (const layer of layers) {
      if (sweep > 0) orderLayer(layer, column);
      for (const [n, { id }] of layer.entries()) column.set(id, n - (layer.length - 1) / 2);
    }
  }
  const places = new Map<string, Place>();
  for (const [depth, layer] of layers.entries()) {
    for (const { id } of layer) {
      places.set(id, { x: (column.get(id) as number) * (WIDTH + GAP_X), y: depth * (HEIGHT + GAP_Y) });
    }
  }
  return steps.map(({ id }) => places.get(id) ?? { x: 0, y: 0 });
}

function orderLayer(layer: PlanStep[], column: ReadonlyMap<string, number>): void {
  const middle = new Map(
    layer.map(({ id, after }) => {
      const sum = after.reduce((total, before) => total + (column.get(before) ?? 0), 0);
      return [id, after.length === 0 ? (column.get(id) ?? 0) : sum / after.length];
    }),
  );
  layer.sort((a, b) => (middle.get(a.id) as number) - (middle.get(b.id) as number));
}

/** Steps by how many come one after the other before them. What goes in a circle is put into the last layer. */
function layersOf(steps: readonly PlanStep[]): PlanStep[][] {
  const waits = new Map(steps.map(({ id, after }) => [id, after.length]));
  const next = new Map<string, PlanStep[]>();
  for (const step of steps) {
    for (const before of step.after) {
      const known = next.get(before);
      if (known === undefined) next.set(before, [step]);
      else known.push(step);
    }
  }
  const layers: PlanStep[][] = [];
  let layer = steps.filter(({ after }) => after.length === 0);
  const placed = new Set<string>();
  while (layer.length > 0) {
    layers.push(layer);
    const below: PlanStep[] = [];
    for (const { id } of layer) {
      placed.add(id);
      for (const step of next.get(id) ?? []) {
        const left = (waits.get(step.id) as number) - 1;
        waits.set(step.id, left);
        if (left === 0) below.push(step);
      }
    }
    layer = below;
  }
  const circular = steps.filter(({ id }) => !placed.has(id));
  return circular.length === 0 ? layers : [...layers, circular];
}
