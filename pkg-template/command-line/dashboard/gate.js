// @ts-check
/**
 * Who may ask. Whoever has the token may do all that the dashboard does, so three things are checked of every request:
 * that it was sent to a name of this server (a page elsewhere may let its own name point here), that no other site's page
 * sent it, and that it has the token.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

/**
 * @typedef {import('node:http').IncomingMessage} Request
 * @typedef {{ status: number, code: string, message: string }} Refused
 */

const COOKIE = 'jobwright';

/** How long the browser that is opened may take until it asks for the page. */
const LAUNCH_MS = 60_000;

export class Gate {
  /**
   * @param {string} host that is listened on
   * @param {string[]} others names that a proxy is asked by
   */
  constructor(host, others) {
    this.names = namesOf(host);
    this.others = others.map((name) => name.toLowerCase());
    this.port = 0;
    this.token = randomBytes(32).toString('base64url');
    /**
     * Where the page is. Cookies know no ports: what other servers on this machine serve is elsewhere, so that browsers
     * don't tell them the token.
     */
    this.place = randomBytes(9).toString('base64url');
    /** @type {Map<string, number>} until when codes are good, which are good once */
    this.codes = new Map();
  }

  /**
   * The address of the page, on a name that works here.
   *
   * @param {string} host
   * @param {string} [token]
   */
  url(host, token = this.token) {
    return `http://${inUrl(host)}:${this.port}/${this.place}/?token=${token}`;
  }

  /** What opens the page once: other users of the machine see the arguments of the program that opens a browser. */
  launchCode() {
    const code = randomBytes(32).toString('base64url');
    this.codes.set(code, Date.now() + LAUNCH_MS);
    return code;
  }

  /**
   * @param {Request} request
   * @returns {Refused | null} why it is nobody's who may ask
   */
  refuses({ method, headers }) {
    const { host = '', origin, 'sec-fetch-site': site } = headers;
    if (!this.isOwn(host)) {
      const message = `This server is not asked by the name ${JSON.stringify(host.slice(0, 200))}; --allow-host allows a name.`;
      return { status: 403, code: 'foreign_host', message };
    }
    if (origin !== undefined && !isOf(origin, host))
      return { status: 403, code: 'foreign_origin', message: 'A page of another site asked for this.' };
    // "none": the person did, by the address bar.
    if (site === undefined || site === 'same-origin' || (site === 'none' && method === 'GET')) return null;
    const message = 'A page of another site led here. Paste the address into the address bar.';
    return { status: 403, code: 'cross_site', message };
  }

  /** @param {string} host as a request names it */
  isOwn(host) {
    const [, name = '', port = '80'] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host.toLowerCase()) ?? [];
    if (this.names.has(name) && Number(port) === this.port) return true;
    return name !== '' && (this.others.includes(name) || this.others.includes(host.toLowerCase()));
  }

  /** @param {Request} request */
  knows({ headers }) {
    const bearer = /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1];
    return [bearer, ...cookiesOf(headers.cookie ?? '')].some((given) => same(given, this.token));
  }

  /** @param {string} given in the address */
  lets(given) {
    if (same(given, this.token)) return true;
    for (const [code, until] of this.codes) {
      if (!same(given, code)) continue;
      this.codes.delete(code);
      return Date.now() < until;
    }
    return false;
  }

  /** Without a path: a browser takes the folder that it asked for, also where a proxy has it elsewhere. */
  cookie() {
    return `${COOKIE}=${this.token}; HttpOnly; SameSite=Strict`;
  }
}

/** @param {string} address */
export const isLoopback = (address) => /^(127\.\d+\.\d+\.\d+|::1|localhost)$/i.test(address);

/** @param {string} host */
export const isEverywhere = (host) => host === '0.0.0.0' || host === '::';

/** @param {string} host */
const inUrl = (host) => (isIP(host) === 6 ? `[${host}]` : host);

/**
 * The names by which a server is asked that listens there.
 *
 * @param {string} host
 */
function namesOf(host) {
  const local = ['localhost', '127.0.0.1', '::1'];
  const addresses = Object.values(networkInterfaces()).flatMap((all) =>
    (all ?? []).map(({ address }) => address),
  );
  const all = isEverywhere(host) ? [...local, ...addresses] : isLoopback(host) ? [host, ...local] : [host];
  return new Set(all.map((name) => inUrl(name).toLowerCase()));
}

/**
 * @param {string} origin
 * @param {string} host
 */
const isOf = (origin, host) => /^https?:\/\/(.*)$/.exec(origin.toLowerCase())?.[1] === host.toLowerCase();

/** @param {string} header */
function cookiesOf(header) {
  const pairs = header.split(';').map((pair) => pair.trim());
  return pairs.filter((pair) => pair.startsWith(`${COOKIE}=`)).map((pair) => pair.slice(COOKIE.length + 1));
}

/**
 * In a time that says nothing of where the two differ.
 *
 * @param {string | undefined} given
 * @param {string} wanted
 */
function same(given, wanted) {
  if (given === undefined) return false;
  const [one, other] = [given, wanted].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(/** @type {Buffer} */ (one), /** @type {Buffer} */ (other));
}
