import type { Resources } from "#contracts";
import type { Bid } from "#control";
import type { Clock } from "#kernel";

/** A bid may be this old when a host is chosen by it: an offer that it does not show is counted for as long. */
const MEMORY_MS = 50;

interface Offer {
  readonly appName: string;
  readonly resources: Resources;
  /** By the monotonic clock. */
  forgetAtMs: number;
}

/**
 * What this scheduler is offering to hosts at this moment. Creates that run side by side choose by bids that show
 * nothing of each other, and without this would all find the same host the best.
 *
 * It is no picture of the hosts: it only ranks them, and each host counts for itself (I3). Other schedulers' offers are not in
 * it; against these the choice among the best is random.
 */
export class OffersUnderWay {
  readonly #clock: Clock;
  /** By host. */
  readonly #offers = new Map<string, Set<Offer>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts an offer from now on. Call what it returns when the host has answered: then its next bid shows it. */
  begin(hostId: string, { appName, resources }: Omit<Offer, "forgetAtMs">): () => void {
    const offer = { appName, resources, forgetAtMs: Number.POSITIVE_INFINITY };
    const offers = this.#offers.get(hostId) ?? new Set();
    this.#offers.set(hostId, offers.add(offer));
    return () => {
      offer.forgetAtMs = this.#clock.monotonicMs() + MEMORY_MS;
    };
  }

  /** The bid as the host will make it once all that is offered to it has arrived, for a machine of that app. */
  deduct(bid: Bid, appName: string): Bid {
    const offers = this.#current(bid.hostId);
    const sum = (key: keyof Resources) =>
      offers.reduce((total, { resources }) => total + (resources[key] ?? 0), 0);
    return {
      ...bid,
      free: {
        cpuMillis: bid.free.cpuMillis - sum("cpuMillis"),
        memoryMib: bid.free.memoryMib - sum("memoryMib"),
        ...(bid.free.volumeMib === undefined ? {} : { volumeMib: bid.free.volumeMib - sum("volumeMib") }),
      },
      machineCount: bid.machineCount + offers.length,
      appMachineCount: bid.appMachineCount + offers.filter((offer) => offer.appName === appName).length,
    };
  }

  #current(hostId: string): Offer[] {
    const offers = this.#offers.get(hostId);
    if (offers === undefined) return [];
    for (const offer of offers) if (offer.forgetAtMs <= this.#clock.monotonicMs()) offers.delete(offer);
    if (offers.size === 0) this.#offers.delete(hostId);
    return [...offers];
  }
}
