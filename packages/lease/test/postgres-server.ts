import { run, type Session } from '@howdah/cluster'
import { postgresPackage, temporaryDirectory } from '@howdah/fixtures'
import { bundled, defaultStrategy } from '@howdah/runtime'

/** Where the newest PostgreSQL of this project's own is, or else one of the machine. */
export function postgresStrategy() {
  const newest = postgresPackage(18)
  return newest === null ? defaultStrategy() : bundled({ packages: [newest] })
}

/** A cluster that this project starts itself. */
export async function startPostgres(): Promise<{ session: Session } & AsyncDisposable> {
  const directory = temporaryDirectory()
  const strategy = postgresStrategy()
  const session = await run(directory.file('data'), { strategy, atEnd: 'destroy' })
  return {
    session,
    [Symbol.asyncDispose]: async () => {
      await session.leave()
      directory[Symbol.dispose]()
    },
  }
}
