import { resolve } from 'node:path'
import { readPlainFile } from '@howdah/durable'
import type { SecretSource } from '@howdah/project'
import { type Asked, baseOf } from './asked.ts'
import { ProvisionError } from './errors.ts'

/** Reads a password where the settings say that it is. Throws `ERR_PROVISION_SECRET` if it is not there. */
export function readSecret(
  asked: Asked,
  key: string,
  source: SecretSource,
  env: NodeJS.ProcessEnv,
): string {
  if (typeof source === 'string') return source
  const refuse = (why: string, cause?: unknown) =>
    new ProvisionError('ERR_PROVISION_SECRET', { path: asked.path, key }, why, { cause })
  if ('env' in source) {
    const value = env[source.env] ?? ''
    if (value !== '') return value
    throw refuse(`the variable ${source.env} is not set; set it, or write another source`)
  }
  const path = resolve(baseOf(asked), source.file)
  let text: string
  try {
    text = readPlainFile(path)
  } catch (cause) {
    throw refuse(
      `cannot read ${path}: ${(cause as Error).message}; put the password into it`,
      cause,
    )
  }
  const value = text.replace(/\r?\n$/, '')
  if (value === '') throw refuse(`${path} is empty; put the password into it`)
  return value
}
