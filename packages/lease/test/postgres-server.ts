import { run, type Session } from '@howdah/cluster'
import { postgresPackage, temporaryDirectory } from '@howdah/fixtures'
import { bundled, defaultStrategy } from '@howdah/runtime'

/** A cluster that this project starts itself. */
export async function startPostgres(): Promise<{ session: Session } & AsyncDisposable> {
  const directory = temporaryDirectory()
  const newest = postgresPackage(18)
  const strategy = newest === null ? defaultStrategy() : bundled({ packages: [newest] })
  const session = await run(directory.file('data'), { strategy, atEnd: 'destroy' })
  return {
    session,
    [Symbol.asyncDispose]: async () => {
      await session.leave()
      directory[Symbol.dispose]()
    },
  }
}
