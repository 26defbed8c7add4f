import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { seededRandom, temporaryDirectory, times } from '@howdah/fixtures'
import { describe, expect, it } from 'vitest'
import { acquire, lockedFile } from '../src/index.ts'
import { Child } from './support/child.ts'
import { Counter } from './support/counter.ts'

/** The output of several processes, which are killed and replaced at random. Disposal kills them all. */
class Storm implements AsyncDisposable {
  /** The numbers that were acknowledged. */
  readonly acknowledged: number[] = []
  kills = 0
  /** How many of the killed processes held one of the locks, or waited for one, at that moment. */
  hits = 0
  readonly #locks: readonly string[]
  readonly #random = seededRandom(25)
  readonly #start: () => Child
  readonly #children = new Map<Child, Promise<void>>()
  readonly #spoken = new Map<Child, Promise<void>>()

  constructor(start: () => Child, processes: number, locks: readonly string[]) {
    this.#start = start
    this.#locks = locks
    for (let count = 0; count < processes; count++) this.#add()
  }

  /** Kills processes at random for some time, then kills the rest. */
  async rage(duration: number, meanwhile: () => Promise<void> | void): Promise<void> {
    const end = performance.now() + duration
    while (performance.now() < end) {
      // This is the rhythm of the storm; it waits for no event.
      await sleep(50 + this.#random.below(200))
      await meanwhile()
      const victims = [...this.#children.keys()]
      const victim = this.#random.pick(victims)
      // Each process has counted before it is killed, however busy the machine is.
      await this.#spoken.get(victim)
      await this.#kill(victim)
      this.#add()
    }
    await Promise.all([...this.#children.keys()].map((child) => this.#kill(child)))
  }

  #add(): void {
    const child = this.#start()
    let speak = (): void => undefined
    this.#spoken.set(child, new Promise((resolve) => (speak = resolve)))
    this.#children.set(child, this.#listen(child, speak))
  }

  async #listen(child: Child, speak: () => void): Promise<void> {
    for await (const line of child.lines) {
      this.acknowledged.push(Number(line))
      speak()
    }
    speak()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#children.keys()].map((child) => child[Symbol.asyncDispose]()))
  }

  async #kill(child: Child): Promise<void> {
    await child.stop()
    if (child.isAt(...this.#locks)) this.hits++
    await child[Symbol.asyncDispose]()
    await this.#children.get(child)
    this.#children.delete(child)
    this.kills++
  }
}

/** The number in a file, after checking that the file is whole. */
function whole(content: string): number {
  const [first, filling, last, ...rest] = content.split(' ')
  expect([filling?.length, last, rest]).toEqual([100_000, first, []])
  return Number(first)
}

describe('a storm of SIGKILLs', () => {
  it(
    'loses no acknowledged increment, and leaves a lock that the next process gets soon',
    { tags: 'property' },
    async () => {
      using directory = temporaryDirectory()
      const path = directory.file('lock')
      const counter = new Counter(directory.file('counter'))
      const start = (): Child => Child.node('count-for-ever', path, counter.path)
      await using storm = new Storm(start, 4, [path, `${path}.gate`])
      await storm.rage(times(3_000, 10_000), () => undefined)

      const { acknowledged, kills, hits } = storm
      expect(hits).toBeGreaterThan(0)
      expect(acknowledged.length).toBeGreaterThan(20)
      expect(new Set(acknowledged).size).toBe(acknowledged.length)
      expect(counter.value).toBeGreaterThanOrEqual(acknowledged.length)
      // A killed process may have incremented the number without reporting it.
      expect(counter.value).toBeLessThanOrEqual(acknowledged.length + kills)
      using lock = await acquire(path, { timeout: 2_000 })
      expect(lock.held).toBe(true)
    },
  )

  it(
    'never shows a torn or empty file while files are transformed, whether the reader locks or not',
    { tags: 'property' },
    async () => {
      using directory = temporaryDirectory()
      const path = directory.file('file')
      await lockedFile.transform(path, () => `0 ${'x'.repeat(100_000)} 0`)
      const locks = [path, `${path}.gate`, directory.file('.file.howdah')]
      await using storm = new Storm(() => Child.node('transform', path), 3, locks)
      let reads = 0
      await storm.rage(times(3_000, 10_000), async () => {
        for (let count = 0; count < 20; count++) {
          const seen = whole(readFileSync(path, 'utf8'))
          expect(whole(await lockedFile.read(path))).toBeGreaterThanOrEqual(seen)
          reads++
        }
      })
      expect(reads).toBeGreaterThanOrEqual(20)
      const { acknowledged, kills, hits } = storm
      expect(hits).toBeGreaterThan(0)
      expect(new Set(acknowledged).size).toBe(acknowledged.length)
      const last = whole(await lockedFile.read(path, { timeout: 2_000 }))
      expect(last).toBeGreaterThanOrEqual(acknowledged.length)
      expect(last).toBeLessThanOrEqual(acknowledged.length + kills)

      // The next write removes the temporary file of a killed writer.
      await lockedFile.transform(path, () => 'done', { timeout: 2_000 })
      expect(readdirSync(directory.path).filter((name) => name.endsWith('.tmp'))).toEqual([])
    },
  )
})
