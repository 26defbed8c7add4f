import { open } from '@howdah/data-directory'

/** Makes the names in a directory survive a power failure. */
export async function syncDirectory(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}
