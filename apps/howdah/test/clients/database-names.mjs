// Connects by each of the URLs that the first argument has, with each client in turn, and says which database it reached.
import { spawnSync } from 'node:child_process'
import { drizzle } from 'drizzle-orm/node-postgres'
import { Client } from 'pg'
import postgres from 'postgres'
import { DataSource } from 'typeorm'

const query = 'SELECT current_database() AS name'
const clients = {
  psql(url) {
    const { status, stdout, error } = spawnSync('psql', [url, '-XAtzc', query])
    if (error !== undefined) return 'no psql'
    return status === 0 ? stdout.toString().replace(/\0?\n$/, '') : null
  },
  async 'node-postgres'(url) {
    const client = new Client(url)
    await client.connect()
    try {
      return (await client.query(query)).rows[0].name
    } finally {
      await client.end()
    }
  },
  async Drizzle(url) {
    const db = drizzle(url)
    try {
      return (await db.execute(query)).rows[0].name
    } finally {
      await db.$client.end()
    }
  },
  async TypeORM(url) {
    const source = await new DataSource({ type: 'postgres', url }).initialize()
    try {
      return (await source.query(query))[0].name
    } finally {
      await source.destroy()
    }
  },
  async 'postgres.js'(url) {
    const sql = postgres(url, { max: 1 })
    try {
      return (await sql.unsafe(query))[0].name
    } finally {
      await sql.end()
    }
  },
}

const reached = {}
for (const [client, reach] of Object.entries(clients)) {
  reached[client] = []
  for (const url of JSON.parse(process.argv[2])) {
    try {
      reached[client].push(await reach(url))
    } catch {
      reached[client].push(null)
    }
  }
}
console.log(JSON.stringify(reached))
