/** `exclusive` shuts out everybody else; `shared` only processes that want it exclusively. */
export type LockMode = 'exclusive' | 'shared'
