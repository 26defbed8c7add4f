import type { Connectable } from './connectable.ts'

/** The process of a server that has a task, such as `checkpointer`. */
export async function processOf(server: Connectable, task: string): Promise<number> {
  const client = await server.connect()
  try {
    const { rows } = await client.query<{ pid: number }>(
      'SELECT pid FROM pg_stat_activity WHERE backend_type = $1',
      [task],
    )
    return rows[0]?.pid ?? 0
  } finally {
    await client.end()
  }
}
