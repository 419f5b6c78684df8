/** What the reference says is what the program says. `node scripts/docs.mjs` writes it anew. */
import { expect, test } from 'vitest';
import { pages, ROOT } from './pages.js';
import { regenerated } from './reference.js';

const generated = pages()
  .map(({ path, text }) => ({ path, text }))
  .filter(({ text }) => text.includes('<!-- begin '));

test('commands, configuration, events and HTTP have generated parts', () => {
  expect(generated.map(({ path }) => path)).toEqual([
    'docs/reference/cli.md',
    'docs/reference/configuration.md',
    'docs/reference/events.md',
    'docs/reference/http.md',
  ]);
});

test.each(generated)('$path is in step with the program; else run node scripts/docs.mjs', async ({ path }) => {
  await expect(await regenerated(path)).toMatchFileSnapshot(`${ROOT}${path}`);
});
