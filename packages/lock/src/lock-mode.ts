/** An `exclusive` lock excludes all other locks; a `shared` lock excludes only exclusive ones. */
export type LockMode = 'exclusive' | 'shared'
