/** How a client gets to a server. */
export interface Address {
  /** The directory of the socket as an absolute path, or an IP address. */
  readonly host: string
  readonly port: number
  readonly user: string
  /** Only over TCP. */
  readonly password: string | null
  /** Further parameters of its URL, as in a query: `schema=public`. */
  readonly parameters?: string | undefined
  /** Over TCP: whether the server encrypts connections if a client asks for it. */
  readonly ssl?: boolean
}
