import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { temporaryDirectory, type TemporaryDirectory } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import type { TestDatabasesOptions } from '../../src/index.ts'

/** A project with files, whose tests want databases. */
export class Project implements Disposable {
  readonly root: string
  readonly #home: TemporaryDirectory

  constructor(files: Readonly<Record<string, string>> = {}) {
    this.#home = temporaryDirectory()
    this.root = this.#home.path
    this.write({ 'package.json': '{ "name": "app" }', ...files })
  }

  /** Options with its root, for a server that ends with its last user. */
  options(more: TestDatabasesOptions = {}): TestDatabasesOptions {
    const { strategy } = newest
    return {
      root: this.root,
      strategy,
      linger: 0,
      saveTemplates: false,
      onNotice: () => undefined,
      ...more,
    }
  }

  write(files: Readonly<Record<string, string>>): void {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(this.#home.file(name)), { recursive: true })
      writeFileSync(this.#home.file(name), content)
    }
  }

  /** The lines of a file; none if it is not there. */
  lines(name: string): string[] {
    try {
      return readFileSync(this.#home.file(name), 'utf8').split('\n').filter(Boolean)
    } catch {
      return []
    }
  }

  [Symbol.dispose](): void {
    this.#home[Symbol.dispose]()
  }
}
