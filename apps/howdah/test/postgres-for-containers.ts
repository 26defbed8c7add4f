import { postgresMajors, postgresPackage } from '@howdah/fixtures'
import { bundled, chain, onEnvironmentPath } from '@howdah/runtime'

/** The `bin` of the PostgreSQL that containers are given: the newest of npm's, or this machine's. */
export async function postgresForContainers(): Promise<string> {
  const packages = postgresMajors.map(postgresPackage).filter((one) => one !== null)
  const found = await chain(
    bundled({ packages: packages.slice(-1) }),
    onEnvironmentPath(),
  ).fallback()
  if (found === null) throw new Error('there is no PostgreSQL here to test with')
  return found.bindir
}
