import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestingError } from './errors.ts'
import { adopt, sweep } from './database/sweep.ts'
import { Disposal } from './database/disposal.ts'
import { openFresh } from './database/fresh.ts'
import { Supply } from './database/supply.ts'
import type { TestDatabasesOptions } from './options.ts'
import { Administrator } from './server/administrator.ts'
import { connectPatiently, withConnection } from './server/connect-patiently.ts'
import { givenServer } from './server/given-server.ts'
import { Maker } from './server/maker.ts'
import { type Joined, joinOwnServer } from './server/own-server.ts'
import { provideTemplate } from './template/provide-template.ts'
import { readRecipe, type Recipe } from './template/recipe.ts'
import type { Workplace } from './workplace.ts'

/** How many unused databases a process leaves to later ones, and how many it takes over. */
const spares = 2

/** The leftovers of others are dropped so many ms later, so that this does not delay the first test. */
const courtesy = 50

/** The stay of a process on a server, with a template and the databases that are made from it. */
export interface Stay {
  readonly place: Workplace
  readonly recipe: Recipe
  readonly supply: Supply
  readonly disposal: Disposal
  /** Whether the connection to the server is lost, and with it everything that we own on it. */
  isLost(): boolean
  /** Ends the stay. With `all`, leftovers of others are dropped, and unused databases unless a later run can have them. */
  end(all: boolean): Promise<void>
}

/** Joins the server, makes sure of the template, and begins to make databases. */
export async function begin(options: TestDatabasesOptions): Promise<Stay> {
  const { timeout = 120_000, ahead = 8, onNotice: notice = print } = options
  const root = resolve(options.root ?? '.')
  const { server, administrator: opened } = await join(options, timeout, notice)
  try {
    const administrator =
      opened ??
      (await withConnection(
        { server, notice, timeout, administrator: null },
        async () => await Administrator.connect(server),
      ))
    const patience = { server, notice, timeout, administrator }
    const { database } = administrator.facts
    const maker = new Maker(async () => await connectPatiently(patience, database), timeout)
    const place: Workplace = { ...patience, maker }
    try {
      const wanted = await readRecipe(options, administrator)
      const [spare, ...adopted] = await adopt(place, wanted.name, Math.min(ahead, spares))
      const first = spare === undefined ? null : openFresh(place, spare)
      // The first caller gets the error.
      first?.catch(() => undefined)
      // Otherwise the first copy needs this connection, which is opened meanwhile.
      if (first === null) void maker.run(async () => await Promise.resolve()).catch(() => undefined)
      const recipe = await provideTemplate(place, wanted, root).catch(async (error: unknown) => {
        await first?.then(async ({ client }) => await client.end()).catch(() => undefined)
        throw error
      })
      const { name, project } = recipe
      const provideAgain = async () => (await provideTemplate(place, recipe, root)).name
      const supply = new Supply(place, { name, project, provideAgain }, ahead, adopted, first)
      const disposal = new Disposal(place)
      const templates = recipe.from === null ? [name] : [name, recipe.from.name]
      const sweepNow = async (all: boolean) =>
        await sweep(place, { templates, project, all }).catch(() => undefined)
      const hurry = new AbortController()
      const swept = sleep(courtesy, undefined, { signal: hurry.signal })
        .catch(() => undefined)
        .then(async () => await sweepNow(false))
      return {
        place,
        recipe,
        supply,
        disposal,
        isLost: () => administrator.isLost,
        async end(all) {
          hurry.abort()
          if (all) await swept
          const left = await supply.end()
          const kept = server.lingers ? spares : 0
          if (all) for (const one of left.slice(kept)) disposal.add(one)
          await disposal.settle()
          if (all) await sweepNow(!server.lingers)
          await maker.close()
          await administrator.close()
          await server.leave()
        },
      }
    } catch (error) {
      await maker.close()
      await administrator.close()
      throw error
    }
  } catch (error) {
    await server.leave().catch(() => undefined)
    throw error
  }
}

async function join(
  options: TestDatabasesOptions,
  timeout: number,
  onNotice: (message: string) => void,
): Promise<Joined> {
  const isAlone = isolationOf(options) === 'cluster'
  if (options.server !== undefined)
    return { server: givenServer(options.server), administrator: null }
  const { runtime, strategy, settings, tcp, tls, linger } = options
  const asked = { runtime, strategy, settings, tcp, tls, linger }
  return await joinOwnServer({ ...asked, isAlone, timeout, onNotice })
}

function isolationOf({ isolation = 'database', server }: TestDatabasesOptions): string {
  const isKnown = isolation === 'database' || isolation === 'cluster'
  if (isKnown && (isolation === 'database' || server === undefined)) return isolation
  throw new TestingError(
    'ERR_TESTING_OPTION',
    isKnown
      ? "isolation: a server of others is no cluster of one's own; leave out either of the two"
      : `isolation: there is no "${String(isolation)}"; write 'database' or 'cluster'`,
  )
}

function print(message: string): void {
  process.stderr.write(`howdah: ${message}\n`)
}
