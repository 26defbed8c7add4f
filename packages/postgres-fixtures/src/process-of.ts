import { until } from '@howdah/fixtures'
import type { Connectable } from './connectable.ts'

/** The pid of the server's process that has a task, such as `checkpointer`. Waits until the server has started that process. */
export async function processOf(server: Connectable, task: string): Promise<number> {
  const client = await server.connect()
  try {
    return await until(`the ${task} runs`, async () => {
      const { rows } = await client.query<{ pid: number }>(
        'SELECT pid FROM pg_stat_activity WHERE backend_type = $1',
        [task],
      )
      return rows[0]?.pid
    })
  } finally {
    await client.end()
  }
}
