/**
 * Settings for a cluster that will be thrown away. It behaves like any other, but never waits for the disk and takes less
 * memory. The settings are given by file in the data directory; everything else has PostgreSQL's default.
 *
 * The first two are the settings of the mode `fast`. They are in the same file as that mode's, so the mode `safe` takes them
 * back. The others are overridden by `ALTER SYSTEM` and by the settings of a start.
 */
export function leanSettings(major: number): ReadonlyMap<string, Buffer> {
  // synchronous_commit stays on: with fsync off, turning it off gains nothing, and it would delay logical replication.
  const careless = { fsync: 'off', full_page_writes: 'off' }
  const small = {
    shared_buffers: '32MB',
    // Test runners open many pools at once, and an unused slot costs only some KB.
    max_connections: '500',
    // The size of the shared lock tables is this number times the number of connections. These values keep the tables at
    // their default size; 64 for each of 500 connections would cost 11 MB.
    max_locks_per_transaction: '16',
    max_pred_locks_per_transaction: '12',
    // On tmpfs, old WAL takes memory, and a checkpoint costs nothing.
    min_wal_size: '32MB',
    max_wal_size: '128MB',
    checkpoint_warning: '0',
    // It does not compile queries that run once, and has no processes for reading files that are in memory.
    ...(major >= 11 && { jit: 'off' }),
    ...(major >= 18 && { io_method: 'sync' }),
  }
  return new Map([
    ['postgresql.auto.conf', lines(careless)],
    ['postgresql.conf', lines(small)],
  ])
}

function lines(settings: Readonly<Record<string, string>>): Buffer {
  const all = Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`)
  return Buffer.from(all.join(''))
}
