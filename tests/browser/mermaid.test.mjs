// @ts-check
/** Random plans as mermaid itself reads and draws them, in a real Chromium: mermaid needs a document. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { importPackage } from '../package/installed.mjs';
import { anyName, hostileNames, plans } from '../plans/generate.mjs';
import { launchChromium } from './launch.mjs';

const { planToMermaid } = await importPackage();
const limit = { timeout: 180_000 };
const statuses = ['pending', 'waiting', 'running', 'done', 'failed', 'skipped'];

/** @type {Awaited<ReturnType<typeof launchChromium>>} */
let chromium;
/** @type {import('playwright-core').Page} */
let page;

before(async () => {
  chromium = await launchChromium();
  page = await chromium.browser.newPage();
  await page.addScriptTag({ path: createRequire(import.meta.url).resolve('@mermaid-js/tiny') });
}, limit);

after(() => chromium?.close());

/**
 * What mermaid reads in a text.
 *
 * @param {string} text
 * @returns {Promise<{ nodes: Record<string, string[]>, boxes: Record<string, { inside: string[], classes: string[] }>, arrows: string[] }>}
 *   classes of nodes by name, boxes by name, arrows as `from --> to`
 */
function read(text) {
  return page.evaluate(async (source) => {
    /** @type {any} */
    const { mermaid } = globalThis;
    await mermaid.parse(source);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(source);
    const boxes = db
      .getSubGraphs()
      .map((/** @type {any} */ box) => [box.id, { inside: box.nodes, classes: box.classes }]);
    const nodes = [...db.getVertices().values()].map(({ id, classes }) => [id, classes]);
    return {
      nodes: Object.fromEntries(nodes),
      boxes: Object.fromEntries(boxes),
      arrows: db
        .getEdges()
        .map(
          (/** @type {any} */ edge) =>
            `${edge.start} ${edge.stroke === 'dotted' ? '-.->' : '-->'} ${edge.end}`,
        ),
    };
  }, text);
}

/**
 * What should be read, said another way than the drawing says it.
 *
 * @param {any} plan
 * @param {string} prefix
 * @param {Record<string, any>} [states]
 */
function meant({ steps }, prefix = '', states = undefined) {
  /** @type {Awaited<ReturnType<typeof read>>} */
  const drawing = { nodes: {}, boxes: {}, arrows: [] };
  for (const [index, step] of steps.entries()) {
    const name = `${prefix}s${index}`;
    const classes = states ? [states[step.id]?.status ?? 'pending'] : [];
    if (step.job?.plan.steps.length > 0) {
      const child = meant(step.job.plan, `${name}_`);
      const inside = step.job.plan.steps.map(
        (/** @type {any} */ _, /** @type {number} */ n) => `${name}_s${n}`,
      );
      Object.assign(drawing.nodes, child.nodes);
      Object.assign(drawing.boxes, child.boxes, { [name]: { inside, classes } });
      drawing.arrows.push(...child.arrows);
    } else {
      drawing.nodes[name] = classes;
    }
    const before = step.after ?? (index > 0 ? [steps[index - 1].id] : []);
    for (const id of before) {
      const from = steps.findIndex((/** @type {any} */ other) => other.id === id);
      drawing.arrows.push(`${prefix}s${from} ${'when' in step ? '-.->' : '-->'} ${name}`);
    }
  }
  return drawing;
}

/** @param {Awaited<ReturnType<typeof read>>} drawing */
function inOrder({ nodes, boxes, arrows }) {
  const named = Object.entries(boxes).map(([name, { inside, classes }]) => [
    name,
    { inside: inside.toSorted(), classes },
  ]);
  const others = Object.entries(nodes).filter(([name]) => !(name in boxes));
  return {
    nodes: Object.fromEntries(others.toSorted()),
    boxes: Object.fromEntries(named.toSorted()),
    arrows: arrows.toSorted(),
  };
}

/** The job of a plan, each of its steps somewhere; some are not in the job's state yet. */
const plansWithJobs = plans(anyName).chain((plan) =>
  fc
    .array(fc.constantFrom(undefined, ...statuses), {
      minLength: plan.steps.length,
      maxLength: plan.steps.length,
    })
    .map((chosen) => {
      const states = plan.steps.map((/** @type {any} */ { id }, /** @type {number} */ n) => [
        id,
        { status: chosen[n] },
      ]);
      return {
        plan,
        steps: Object.fromEntries(states.filter((/** @type {any} */ [, { status }]) => status)),
      };
    }),
);

test('mermaid reads the steps, boxes and arrows of any plan', limit, async () => {
  await fc.assert(
    fc.asyncProperty(plans(anyName), async (plan) => {
      assert.deepEqual(inOrder(await read(planToMermaid(plan))), inOrder(meant(plan)));
    }),
    { numRuns: 200 },
  );
});

test('mermaid reads the progress of any job', limit, async () => {
  await fc.assert(
    fc.asyncProperty(plansWithJobs, async ({ plan, steps }) => {
      const text = planToMermaid(plan, { run: { steps } });
      assert.deepEqual(
        inOrder(await read(text)),
        inOrder(meant(plan, '', Object.assign(Object.create(null), steps))),
      );
    }),
    { numRuns: 100 },
  );
});

/**
 * Draws a step for each name, with a second line, for which mermaid reads a label as HTML.
 *
 * @param {string[]} names
 */
async function assertShown(names) {
  const shown = await page.evaluate(
    async (source) => {
      /** @type {any} */
      const { mermaid } = globalThis;
      const { svg } = await mermaid.render('drawing', source);
      document.body.innerHTML = svg;
      const nodes = [...document.querySelectorAll('.node')];
      const parts = nodes.flatMap((node) => [...node.querySelectorAll('.nodeLabel *')]);
      return {
        labels: nodes.map((node) => node.textContent?.replace(/breakpoint$/, '') ?? ''),
        elements: [...new Set(parts.map((part) => part.localName))],
      };
    },
    planToMermaid({ steps: names.map((id) => ({ id, agent: id, breakpoint: true })) }),
  );
  assert.deepEqual(shown.labels.map(visible).sort(), names.map(visible).sort());
  assert.deepEqual(shown.elements, ['p', 'br']);
}

/**
 * What of a name can be seen: no more than 60 letters, and no characters that browsers replace or that have no width.
 *
 * @param {string} name
 */
function visible(name) {
  const text = name
    .replaceAll('\u200b', '')
    .replace(/[\s\p{C}\u00a0]+/gu, ' ')
    .trim();
  const letters = Array.from(text);
  return letters.length > 59 ? letters.slice(0, 59).join('') : text;
}

test('mermaid shows hostile names as they are, and runs nothing in them', limit, () =>
  assertShown(hostileNames),
);

test('mermaid shows any name as it is', limit, () =>
  fc.assert(fc.asyncProperty(fc.uniqueArray(anyName, { minLength: 1, maxLength: 4 }), assertShown), {
    numRuns: 100,
  }),
);
