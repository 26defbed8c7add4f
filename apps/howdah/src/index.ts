import {
  Cluster as PlainCluster,
  type ClusterOptions,
  type RunOptions,
  run as runPlain,
  type Session,
  temporary as temporaryPlain,
  type TemporaryOptions,
} from '@howdah/cluster'
import { openProject as openPlain, type OpenProjectOptions } from '@howdah/provision'

export * from '@howdah/cluster'
export { ProjectError } from '@howdah/project'
export { type OpenProjectOptions, ProvisionError, type ProvisionErrorCode } from '@howdah/provision'

// The bundled PostgreSQL is looked for among the dependencies of the modules that call. With pnpm it is one of this package
// alone, so each entry passes through here.

/** `Cluster` of `@howdah/cluster`, with the PostgreSQL that comes with this package. */
export class Cluster extends PlainCluster {
  // oxlint-disable-next-line no-useless-constructor -- Without it this module is not among those that call.
  constructor(dataDir: string, options?: ClusterOptions) {
    super(dataDir, options)
  }
}

/** `run` of `@howdah/cluster`, with the PostgreSQL that comes with this package. */
export async function run(
  dataDir: string,
  options?: ClusterOptions & RunOptions,
): Promise<Session> {
  return await runPlain(dataDir, options)
}

/** `temporary` of `@howdah/cluster`, with the PostgreSQL that comes with this package. */
export async function temporary(options?: TemporaryOptions): Promise<Session> {
  return await temporaryPlain(options)
}

/** `openProject` of `@howdah/provision`, with the PostgreSQL that comes with this package. */
export async function openProject(options?: OpenProjectOptions): Promise<Session> {
  return await openPlain(options)
}
