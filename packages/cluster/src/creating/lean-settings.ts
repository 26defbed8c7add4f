/**
 * What makes a cluster that is to be thrown away quick and small, while it behaves like any other: nothing waits for the
 * disk, and it takes less memory. By file, below the data directory; PostgreSQL's default stands for all else.
 *
 * The first two are those of the mode `fast`, and are kept where that keeps them, so that `safe` takes them back. The
 * others give way to whatever is set by `ALTER SYSTEM`, or for a start.
 */
export function leanSettings(major: number): ReadonlyMap<string, Buffer> {
  // synchronous_commit stays on: with fsync off, off gains nothing, and it delays what is replicated logically.
  const careless = { fsync: 'off', full_page_writes: 'off' }
  const small = {
    shared_buffers: '32MB',
    // Test runners open many pools at once, and a slot that nobody uses costs some KB.
    max_connections: '500',
    // The tables of locks are shared by all, and sized by the product. These keep them as large as by default, and small:
    // 64 for each of 500 connections would cost 11 MB of memory.
    max_locks_per_transaction: '16',
    max_pred_locks_per_transaction: '12',
    // WAL that is kept is memory, on tmpfs, and a checkpoint costs nothing.
    min_wal_size: '32MB',
    max_wal_size: '128MB',
    checkpoint_warning: '0',
    // Neither compiles queries that run once, nor keeps processes to read files that are in memory.
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
