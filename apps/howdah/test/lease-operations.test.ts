import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { temporaryDirectory } from '@howdah/fixtures'
import { describe, expect, test } from 'vitest'
import { answer, type Result, start } from './project.ts'

/** A directory with leases, of which each test has its own. */
class Place implements Disposable {
  readonly #directory = temporaryDirectory({ prefix: 'howdah-lease-' })

  file(...names: string[]): string {
    return this.#directory.file(...names)
  }

  /** Runs the command, in a process of its own if it runs a program. */
  async lease(...args: readonly string[]): Promise<Result> {
    const words = ['lease', '--in', '.', ...args]
    const { path } = this.#directory
    return args.includes('--') ? await start(path, words).result : await answer(path, words)
  }

  /** Puts something in the place of the newest record of the lease `a`. */
  spoil(text: string): void {
    const numbers = readdirSync(this.file('a')).flatMap((name) => /\.(\d+)$/.exec(name)?.[1] ?? [])
    writeFileSync(this.file('a', `lock.json.${Math.max(...numbers.map(Number))}`), text)
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]()
  }
}

const record = (expires: string) =>
  `{"generation":7,"expires_at":"${expires}","owner":"someone","nonce":"n"}`
const soon = () => new Date(Date.now() + 20_000).toISOString()

describe.concurrent('howdah lease show', () => {
  test('says that nobody ever held it, and makes nothing', async () => {
    using place = new Place()
    const { status, stdout, stderr } = await place.lease('show', 'a')
    expect([status, stdout]).toEqual([0, ''])
    expect(stderr).toBe(`nobody has ever held the lease ${place.file('a', 'lock.json')}\n`)
    const away = await start(place.file('.'), ['lease', 'show', 'a']).result
    expect(away.status).toBe(0)
    expect(readdirSync(place.file('.'))).toEqual([])
  })

  test('says who holds it, and who held it last', async () => {
    using place = new Place()
    await place.lease('a', '--owner', 'me', '--', 'true')
    const free = await place.lease('show', 'a')
    expect(free.stdout).toBe('free; last held by me, released, generation 1\n')
    place.spoil(record(soon()))
    const held = await place.lease('show', 'a')
    expect(held.stdout).toMatch(/^held by someone until .*Z, generation 7\n$/)
    const json = await place.lease('show', 'a', '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({
      type: 'file',
      held: true,
      lease: { owner: 'someone', generation: '7', problem: null },
    })
  })
})

describe.concurrent('a lease that nobody could ever acquire again', () => {
  test.each([
    ['garbage', 'no lease'],
    ['empty', ''],
    ['an end that is too far away', record('2999-01-01T00:00:00Z')],
  ])('%s: the error names the way out, and the way leads out', async (_, text) => {
    using place = new Place()
    await place.lease('a', '--', 'true')
    place.spoil(text)
    const refused = await place.lease('a', '--', 'true')
    expect(refused.status).toBe(125)
    expect(refused.stderr).toContain('howdah lease --in . show a')
    expect(refused.stderr).toContain('howdah lease --in . reset a')

    const shown = await place.lease('show', 'a')
    expect(shown.stderr).toMatch(/lease reset|lease --in \. reset a/)
    const reset = await place.lease('reset', 'a')
    expect(reset.status).toBe(0)
    const next = await place.lease('a', '--', 'sh', '-c', 'echo $HOWDAH_LEASE_GENERATION')
    expect(next.status).toBe(0)
    expect(Number(next.stdout)).toBeGreaterThan(2)
  })
})

describe.concurrent('howdah lease reset', () => {
  test('leaves a lease alone that somebody holds, unless it is forced', async () => {
    using place = new Place()
    await place.lease('a', '--', 'true')
    place.spoil(record(soon()))
    const refused = await place.lease('reset', 'a')
    expect(refused.status).toBe(75)
    expect(refused.stderr).toMatch(/held by someone until .*; wait for its end.*--force/)
    expect(JSON.parse((await place.lease('reset', 'a', '--json')).stderr)).toMatchObject({
      error: { code: 'ERR_CLI_LEASE_HELD', status: 75 },
    })
    expect((await place.lease('reset', 'a', '--force')).status).toBe(0)
    expect((await place.lease('show', 'a')).stdout).toMatch(/^free; .*generation 8\n$/)
  })

  test('of a lease in a directory that is missing is a failure, and no usage', async () => {
    using place = new Place()
    const { status, stderr } = await place.lease('--in', 'missing', 'reset', 'a')
    expect([status, stderr]).toEqual([1, expect.stringMatching(/its directory does not exist/)])
    expect(existsSync(place.file('missing'))).toBe(false)
  })
})

describe.concurrent('the words of the command line', () => {
  test.each([
    [['show'], 'say which command to run'],
    [['show', 'a', '--', 'true'], 'write "show a" or "reset a"'],
    [['steal', 'a'], 'howdah lease steal -- a'],
    [['a', '--json', '--', 'true'], String.raw`"message":"lease: --json is for \"show\""`],
    [['a', '--force', '--', 'true'], '--force is for "reset"'],
  ])('%j is refused', async (words, why) => {
    using place = new Place()
    const { status, stderr } = await place.lease(...words)
    expect([status, stderr]).toEqual([2, expect.stringContaining(why)])
  })

  test('a lease may be called "show", if a command follows', async () => {
    using place = new Place()
    expect((await place.lease('show', '--', 'echo', 'ran')).stdout).toBe('ran\n')
    expect((await place.lease('show', 'show')).stdout).toMatch(/^free; .*generation 1\n$/)
  })
})
