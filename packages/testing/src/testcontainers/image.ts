/**
 * The version that an image's tag names, such as `16` of `postgres:16-alpine`, `pgvector/pgvector:pg16` and `postgis/postgis:16-3.4`;
 * `undefined` if the tag names no version, such as `latest`.
 */
export function versionOfImage(image: string): string | undefined {
  const tag = /:([^:/]+)$/.exec(image.replace(/@sha256:.*$/, ''))?.[1] ?? ''
  return /^(?:pg)?(\d+(?:\.\d+)?)(?!\d)/.exec(tag)?.[1]
}
