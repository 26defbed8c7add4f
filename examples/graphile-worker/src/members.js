/** The tasks of the worker: `graphile-worker` runs them, or `run` of its library. */
export const tasks = {
  welcome: async ({ name }, { query }) => {
    await query('UPDATE members SET welcomed = now() WHERE name = $1', [name])
  },
}

/** Adds a member, and in the same transaction the job to welcome them. */
export async function join(pool, name) {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const job = `SELECT graphile_worker.add_job('welcome', json_build_object('name', $1::text))`
    await client.query(job, [name])
    await client.query('INSERT INTO members (name) VALUES ($1)', [name])
    await client.query('COMMIT')
  } catch (error) {
    await client.query('ROLLBACK')
    throw error
  } finally {
    client.release()
  }
}
