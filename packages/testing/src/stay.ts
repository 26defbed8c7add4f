import { resolve } from 'node:path'
import { TestingError } from './errors.ts'
import { adopt, sweep } from './database/sweep.ts'
import { Disposal } from './database/disposal.ts'
import { Supply } from './database/supply.ts'
import type { TestDatabasesOptions } from './options.ts'
import { Administrator } from './server/administrator.ts'
import { connectPatiently, withConnection } from './server/connect-patiently.ts'
import { givenServer } from './server/given-server.ts'
import { Maker } from './server/maker.ts'
import { joinOwnServer } from './server/own-server.ts'
import type { TestServer } from './server/test-server.ts'
import { provideTemplate } from './template/provide-template.ts'
import { readRecipe, type Recipe } from './template/recipe.ts'
import type { Workplace } from './workplace.ts'

/** The stay of a process on a server, with a template and the databases that are made from it. */
export interface Stay {
  readonly place: Workplace
  readonly recipe: Recipe
  readonly supply: Supply
  readonly disposal: Disposal
  /** Settles when the leftovers of other processes are dropped. */
  readonly swept: Promise<unknown>
  /** Whether the connection to the server is lost, and with it everything that we own on it. */
  isLost(): boolean
  /** Ends the stay. With `all`, databases that others could use are dropped. */
  end(all: boolean): Promise<void>
}

/** Joins the server, makes sure of the template, and begins to make databases. */
export async function begin(options: TestDatabasesOptions): Promise<Stay> {
  const { timeout = 120_000, ahead = 8, onNotice: notice = print } = options
  const root = resolve(options.root ?? '.')
  const server = await join(options, timeout, notice)
  try {
    const administrator = await withConnection(
      { server, notice, timeout, administrator: null },
      async () => await Administrator.connect(server),
    )
    const patience = { server, notice, timeout, administrator }
    const { database } = administrator.facts
    const maker = new Maker(async () => await connectPatiently(patience, database), timeout)
    const place: Workplace = { ...patience, maker }
    // The connection is opened meanwhile, because the first copy needs it.
    void maker.run(async () => await Promise.resolve()).catch(() => undefined)
    try {
      const wanted = await readRecipe(options, administrator)
      const recipe = await provideTemplate(place, wanted, root)
      const { name, project } = recipe
      const provideAgain = async () => (await provideTemplate(place, recipe, root)).name
      const adopted = await adopt(place, name, Math.min(ahead, 2))
      const supply = new Supply(place, { name, project, provideAgain }, ahead, adopted)
      const disposal = new Disposal(place)
      const templates = recipe.from === null ? [name] : [name, recipe.from.name]
      const sweepNow = async (all: boolean) =>
        await sweep(place, { templates, project, all }).catch(() => undefined)
      return {
        place,
        recipe,
        supply,
        disposal,
        swept: sweepNow(false),
        isLost: () => administrator.isLost,
        async end(all) {
          const left = await supply.end()
          if (all) for (const one of left) disposal.add(one)
          await disposal.settle()
          if (all) await sweepNow(true)
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
): Promise<TestServer> {
  const isAlone = isolationOf(options) === 'cluster'
  if (options.server !== undefined) return givenServer(options.server)
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
