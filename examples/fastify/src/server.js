import { Pool } from 'pg'
import { app } from './app.js'

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const server = app(pool)
server.addHook('onClose', () => pool.end())
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close())
console.log(await server.listen({ port: Number(process.env.PORT ?? 3000) }))
