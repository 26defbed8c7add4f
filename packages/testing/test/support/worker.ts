import { Child } from '@howdah/fixtures'
import { newest } from '@howdah/postgres-fixtures'
import type { PlainOptions } from '../../src/index.ts'

/** What a worker says. */
interface Said {
  readonly value?: unknown
  readonly notice?: string
  readonly error?: { readonly code: string; readonly message: string }
}

/** A process of a test's own that uses databases; see `worker.mjs`. */
export class Worker extends Child {
  readonly notices: string[] = []

  constructor(options: PlainOptions, more: { slow?: number; halts?: boolean } = {}) {
    const request = { options: { linger: 0, ...options }, postgres: newest.place, ...more }
    super(new URL('worker.mjs', import.meta.url), [JSON.stringify(request)])
  }

  /** Evaluates a piece of JavaScript there, on `databases` and `held`, and gives its value. */
  async ask(code: string): Promise<unknown> {
    this.tell(code)
    return await this.answer()
  }

  /** The answer to what was told. */
  async answer(): Promise<unknown> {
    for (;;) {
      const said = JSON.parse(await this.line()) as Said & { ready?: true }
      if (said.notice !== undefined) this.notices.push(said.notice)
      else if (said.error !== undefined)
        throw Object.assign(new Error(said.error.message), { code: said.error.code })
      else if (said.ready === undefined) return said.value
    }
  }

  /** The next thing that it has to say to people. */
  async notice(): Promise<string> {
    for (;;) {
      const said = JSON.parse(await this.line()) as Said
      if (said.notice !== undefined) return said.notice
    }
  }

  /** Lets it end in order. */
  async end(): Promise<void> {
    this.process.stdin?.end()
    await this.ended
  }
}
