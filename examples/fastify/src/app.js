import Fastify from 'fastify'

/** The application, on a pool of connections. */
export function app(pool) {
  const server = Fastify()
  server.get('/notes', async () => (await pool.query('SELECT * FROM notes ORDER BY id')).rows)
  server.post('/notes', async ({ body }, reply) => {
    const insert = 'INSERT INTO notes (text) VALUES ($1) RETURNING *'
    const { rows } = await pool.query(insert, [body.text])
    return await reply.code(201).send(rows[0])
  })
  return server
}
