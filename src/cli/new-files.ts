/** Files that are made together or not at all: whatever was written is taken back when the rest fails. */
import { chmodSync, existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export class NewFiles {
  readonly #folder: string;
  readonly #made: { readonly kind: 'file' | 'folder'; readonly path: string }[] = [];

  /** Makes `folder` where it is not there, with all above it. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#makeFolder(folder);
  }

  /** Writes a new file with exactly this mode, whatever the umask. Throws where there is one already. */
  write(name: string, text: string, mode: number): string {
    const path = join(this.#folder, name);
    this.#makeFolder(dirname(path));
    writeFileSync(path, text, { flag: 'wx', mode });
    this.#made.push({ kind: 'file', path });
    chmodSync(path, mode);
    return path;
  }

  /** A file that something else will make, to be taken back with the rest. */
  expect(name: string): void {
    const path = join(this.#folder, name);
    if (!existsSync(path)) this.#made.push({ kind: 'file', path });
  }

  /** Removes all that was made, newest first; a folder only where nothing else is in it. */
  takeBack(): void {
    for (const { kind, path } of this.#made.reverse()) {
      if (kind === 'file') rmSync(path, { force: true });
      else {
        try {
          rmdirSync(path);
        } catch {
          // Somebody else has put something there: then it is not ours to remove.
        }
      }
    }
    this.#made.length = 0;
  }

  #makeFolder(path: string): void {
    if (existsSync(path)) return;
    this.#makeFolder(dirname(path));
    mkdirSync(path);
    this.#made.push({ kind: 'folder', path });
  }
}
