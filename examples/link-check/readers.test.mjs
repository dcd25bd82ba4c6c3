// @ts-check
/** What is a link and what is an anchor, in Markdown and in HTML. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readHtml } from './html.mjs';
import { readMarkdown } from './markdown.mjs';

/** @param {import('./html.mjs').Found} found */
const linksOf = ({ links }) => links.map(({ line, target }) => `${line} ${target}`);

/** @type {[markdown: string, ...links: string[]][]} */
const LINKS = [
  ['[a](b)', '1 b'],
  ['[a](b "t") [a](<b c> \'t\') [a](b\n(t))', '1 b', '1 b c', '1 b'],
  ['[a](b(c)d) [a](\\(b) [a](b&amp;c) [a]()', '1 b(c)d', '1 (b', '1 b&c', '1 '],
  ['![a](b) [![a](b)](c) [a [b] c](d)', '1 b', '1 b', '1 c', '1 d'],
  ['a](b) \\[a](b) [a] (b) [a](b c) [a](<b)', ''],
  ['`[a](b)` ``[a](b) ` `` `[a](c)', '1 c'],
  ['[a`](b)`](c)', '1 c'],
  ['[a]: b\n[c]: <d e> "t"\n[^f]: g', '1 b', '2 d e'],
  ['text\n[a]: b'],
  ['<a href="b">c</a> <img src=d> <https://e> <a\nhref=f>', '1 b', '1 d', '1 f'],
  ['<p title="[a](b)">[a](c)</p>'],
  ['text <b title="[a](b)">[a](c)</b>', '1 c'],
  ['<!-- [a](b)\n\n[a](c) -->\n[a](d)', '4 d'],
  ['<pre>\n[a](b)\n\n<a href=c></a>\n</pre>\n[a](d)', '4 c', '6 d'],
  ['a\n\n    [a](b)\n\na\n    [a](c)', '6 c'],
  ['- a\n\n    [a](b)', '3 b'],
  ['````\n```\n[a](b)\n````\n[a](c)', '5 c'],
  ['```\n[a](b)'],
  ['> ```\n> [a](b)\n> ```\n> [a](c)', '4 c'],
  ['---\na: "[a](b)"\n---\n[a](c)', '4 c'],
  ['a `b\n\n[a](c) `', '3 c'],
  ['- a `b\n- [a](c) `', '2 c'],
];

test('links of Markdown', () => {
  for (const [markdown, ...links] of LINKS)
    assert.deepEqual(linksOf(readMarkdown(markdown)), links.filter(Boolean), markdown);
});

/** @type {[markdown: string, ...anchors: string[]][]} */
const ANCHORS = [
  ['# A b\n## A b ##\n### A-b', 'a-b', 'a-b-1', 'a-b-2'],
  ['A\n=\n\nB\nc\n---\n\n---\n', 'a', 'b-c'],
  ['#no\n\n####### no\n\n# \n', ''],
  ['# `a_b` _c_ d_e *f* <b>g</b> [h](i) ![j](k) &amp; !', 'a_b-c-d_e-f-g-h---'],
  ['# `_x_` and `[a](b)`', '_x_-and-ab'],
  ['# Größe 日本', 'größe-日本'],
  ['<a id="A"></a><a name=b></a> <b name=c id="d">', 'A', 'b', 'd'],
  ['`<a id="a">` <!-- <a id="b"> -->\n\n```\n# c\n```'],
  ['> # A', 'a'],
];

test('anchors of Markdown', () => {
  for (const [markdown, ...anchors] of ANCHORS)
    assert.deepEqual(readMarkdown(markdown).anchors, anchors, markdown);
});

test('links and anchors of HTML', () => {
  const { links, anchors } = readHtml(
    `<!DOCTYPE html><!-- <a href=1> --><!--><A HREF='a&amp;b&#x20;c' href=2 ID=x>
     <img src = " d
     e " alt="<a href=3>"/><script>'<a href=4>'</script ><title><a href=5></title></a href=6>
     <a href=f&copy=1 data-href=7 name=y><b name=z id=""> a < b <a href=8`,
  );
  assert.deepEqual(linksOf({ links, anchors }), ['1 a&b c', '2 d     e', '4 f&copy=1']);
  assert.deepEqual(anchors, ['x', 'y']);
});

/** Bits of which pages are made, and of which pages that went wrong are. */
const bit = fc.constantFrom(
  ...[
    '[',
    '](',
    ')',
    '<',
    '>',
    '`',
    '``',
    '```\n',
    '~~~\n',
    '\n',
    '\n\n',
    '\\',
    '"',
    "'",
    '<!--',
    '-->',
    '# ',
  ],
  ...[
    '<a href=',
    ' id="x"',
    '</a>',
    '<script>',
    '</script>',
    '[a]: ',
    '    ',
    '- ',
    '> ',
    '&#',
    'ü',
    'a',
    '---\n',
  ],
);
const bits = fc.array(bit, { maxLength: 60 }).map((list) => list.join(''));

test('whatever a page is made of, its links are on its lines, and what stands before it changes none after', () => {
  fc.assert(
    fc.property(bits, (text) => {
      const lines = text.split('\n').length;
      for (const found of [readMarkdown(text), readHtml(text)])
        for (const { line } of found.links) assert.ok(line >= 1 && line <= lines);
    }),
    { numRuns: 2_000 },
  );
});

test('nothing in code, in a comment, or in the value of an attribute is a link or an anchor', () => {
  const after = '\n\n[a](b)\n';
  fc.assert(
    fc.property(bits, (text) => {
      const code = text.replace(/[`~]/g, '');
      const [comment, value] = [text.replaceAll('-->', ' '), text.replace(/["\n]/g, ' ')];
      const indented = code.replace(/^/gm, '    ');
      for (const hidden of [
        `\`\`\`\n${code}\n\`\`\``,
        `~~~~ info\n${code}\n~~~~`,
        `text\n\n${indented}`,
        `<!--\n${comment}\n-->`,
        `text <b title="${value}">`,
      ]) {
        const line = hidden.split('\n').length + 2;
        assert.deepEqual(
          readMarkdown(hidden + after),
          { links: [{ line, target: 'b' }], anchors: [] },
          hidden,
        );
      }
      const html = `<!--${comment.replace(/^[->]+/, '').replaceAll('--!>', ' ')}--><p title="${value}"><script>${code.replaceAll('</script>', ' ')}</script>`;
      assert.deepEqual(readHtml(html), { links: [], anchors: [] }, html);
    }),
    { numRuns: 1_000 },
  );
});
