import { endServer, worksIn } from '@howdah/coordinate'
import { liveness } from '@howdah/lock'
import type { Allocation } from '@howdah/registry'

/** In ms. */
const patience = 10_000

/**
 * Ends a server that was started on a data directory and does not work there any more, because the directory was moved. Its
 * next checkpoint would write `global/pg_control` at its old path, and so into the cluster that is there now. SIGQUIT makes no
 * checkpoint, and its next start recovers.
 *
 * Source: `UpdateControlFile` in PostgreSQL's `xlog.c`, which does not use the working directory.
 */
export async function endMoved(dataDir: string, server: Allocation | null): Promise<void> {
  if (server === null || liveness(server) !== 'alive' || worksIn(dataDir, server.pid)) return
  await endServer(server, { signal: 'SIGQUIT', timeout: patience })
}
