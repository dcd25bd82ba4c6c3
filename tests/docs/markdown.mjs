// @ts-check

/**
 * The code blocks that follow a line `<!-- example: run -->`, and what they are said to print: the block that
 * follows a line `<!-- example: prints -->`, where there is one.
 *
 * @param {string} markdown
 * @returns {{ code: string, output: string | null }[]}
 */
export function markedExamples(markdown) {
  const block = '\\s*^```\\w*\\n([\\s\\S]*?)^```\\s*$';
  const marked = new RegExp(`^<!-- example: run -->${block}(?:\\s*^<!-- example: prints -->${block})?`, 'gm');
  return [...markdown.matchAll(marked)].map(([, code, output]) => ({ code, output: output ?? null }));
}

/**
 * The folders that a drawing in a code block names: lines such as `  core/   pure decisions`, each indented below
 * the folder that holds it. Box characters count as indentation.
 *
 * @param {string} drawing
 * @returns {string[]} paths, sorted
 */
export function drawnFolders(drawing) {
  /** @type {{ indent: number, path: string }[]} */
  const open = [];
  const found = [];
  for (const line of drawing.split('\n')) {
    const match = /^([\s│├└─]*)([\w.-]+(?:\/[\w.-]+)*)\/(?:\s|$)/.exec(line);
    if (!match) continue;
    const indent = match[1].length;
    while (open.length > 0 && open[open.length - 1].indent >= indent) open.pop();
    const path = [...open.slice(-1).map((parent) => parent.path), match[2]].join('/');
    open.push({ indent, path });
    found.push(path);
  }
  return found.sort();
}
