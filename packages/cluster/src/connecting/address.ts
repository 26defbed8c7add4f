/** How a client reaches a server. */
export interface Address {
  /** The directory of the socket as an absolute path, an IP address, or `localhost` with {@link authority}. */
  readonly host: string
  readonly port: number
  readonly user: string
  /** Over TCP, and on the socket of a cluster that somebody else has created. */
  readonly password: string | null
  /** Further parameters of its URL, as in a query: `schema=public`. */
  readonly parameters?: string | undefined
  /** Over TCP: whether the server encrypts connections for clients that ask for it. */
  readonly ssl?: boolean
  /** Over TLS: the file with the certificate by which clients verify the server's certificate. */
  readonly authority?: string
}
