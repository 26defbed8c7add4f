import { oddFiles, plantOddFile, temporaryDirectory } from '@howdah/fixtures'
import { expect, it } from 'vitest'
import { createFileLeaser } from '../src/index.ts'

it.each(oddFiles.flatMap((kind) => ['it', 'it.1'].map((name) => [kind, name] as const)))(
  '%s in the place of a lease, as %s, is refused by its path, and never waited for',
  async (kind, name) => {
    using home = temporaryDirectory()
    plantOddFile(kind, home.file(name))
    const leaser = createFileLeaser({ dir: home.path, path: 'it', owner: 'me' })
    await expect(leaser.acquire()).rejects.toMatchObject({
      code: 'ERR_LEASE_STORE',
      message: expect.stringContaining(home.file(name)),
    })
  },
)
