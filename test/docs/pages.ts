/** The manual's pages, and the fenced blocks in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** A page: where it is, from the checkout, and its text. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

/** A fenced block. `info`: the words behind the fence (`yaml records`); `line`: of its first line in the page. */
export interface Block {
  readonly page: string;
  readonly line: number;
  readonly info: string;
  readonly text: string;
}

/** README, CHANGELOG and all of docs/. */
export function pages(): readonly Page[] {
  const manual = readdirSync(`${ROOT}docs`, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.md'),
  );
  const paths = ['README.md', 'CHANGELOG.md', ...manual.sort().map((name) => `docs/${name}`)];
  return paths.map((path) => ({ path, text: readFileSync(`${ROOT}${path}`, 'utf8') }));
}

/** Every fenced block of `page`, in order. */
export function blocksOf({ path, text }: Page): readonly Block[] {
  const blocks: Block[] = [];
  let open: { info: string; line: number; lines: string[] } | null = null;
  text.split('\n').forEach((line, i) => {
    const fence = /^```(.*)$/.exec(line);
    if (fence === null) open?.lines.push(line);
    else if (open === null) open = { info: fence[1] ?? '', line: i + 2, lines: [] };
    else {
      blocks.push({ page: path, line: open.line, info: open.info, text: `${open.lines.join('\n')}\n` });
      open = null;
    }
  });
  return blocks;
}

/** Every block of every page whose fence says `info`. */
export const blocks = (info: string): readonly Block[] =>
  pages().flatMap((page) => blocksOf(page).filter((block) => block.info === info));

/** The name of a test about `block`. */
export const placeOf = ({ page, line }: Block): string => `${page}:${line}`;
