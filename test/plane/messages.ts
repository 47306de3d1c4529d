import type { Fate, TappedMessage } from "#testing";
import type { Watch } from "./plane.ts";

/** What nothing depends on, or what comes by itself all the time. */
const BACKGROUND =
  /^live\.|^\$JS\.(ACK|FC)|^\$JS\.API\.(CONSUMER|STREAM\.INFO\.FLEET)|^cmd\.scheduler\.(register|tail)/;

/**
 * Gives every message a name that is the same in each run, whatever ids, hosts and inboxes are in it: who sends or hears
 * it, and what it is; an answer is named after its question.
 */
export class MessageNames {
  readonly #questions = new Map<string, string>();

  /** Undefined for a message that does not belong to what is watched. */
  nameOf(party: string, message: TappedMessage): string | undefined {
    const what = this.#whatIs(message);
    if (what === undefined) return undefined;
    if (message.reply?.startsWith("_INBOX.")) this.#questions.set(message.reply, what);
    const who = party.startsWith("host") ? "a host" : `the ${party}`;
    return `${who} ${message.from === "client" ? "sends" : "hears"} ${what}`;
  }

  #whatIs({ subject, payload }: TappedMessage): string | undefined {
    if (BACKGROUND.test(subject)) return undefined;
    if (subject.startsWith("_INBOX.")) {
      const question = this.#questions.get(subject);
      return question && `the answer to ${question}`;
    }
    if (subject.startsWith("evt.")) return /"type":"(\w+)"/.exec(payload.toString())?.[1];
    const asked = /"next_by_subj":"evt\.control\.(\w+)/.exec(payload.toString())?.[1];
    if (asked !== undefined) return `a read of CONTROL's ${asked}`;
    const verb = /^cmd\..*\.(\w+)$/.exec(subject)?.[1];
    return verb ?? subject;
  }
}

/** A message by its name, and which of those with that name it is. */
export interface Nth {
  readonly name: string;
  readonly nth: number;
}

/** Writes down every message that passes. */
export class Recorder {
  readonly messages: Nth[] = [];
  readonly #names = new MessageNames();
  readonly #counts = new Counts();

  readonly watch: Watch = (party, message) => {
    const name = this.#names.nameOf(party, message);
    if (name !== undefined) this.messages.push({ name, nth: this.#counts.next(name) });
    return "arrives";
  };
}

/** Does something to one message. */
export class Sabotage {
  /** The party at whose wire it happened; undefined before. */
  party: string | undefined;
  readonly #target: Nth;
  readonly #act: (party: string) => Fate;
  readonly #names = new MessageNames();
  readonly #counts = new Counts();

  constructor(target: Nth, act: (party: string) => Fate) {
    this.#target = target;
    this.#act = act;
  }

  readonly watch: Watch = (party, message) => {
    const name = this.#names.nameOf(party, message);
    if (name === undefined) return "arrives";
    const nth = this.#counts.next(name);
    if (this.party !== undefined || name !== this.#target.name || nth !== this.#target.nth) return "arrives";
    this.party = party;
    return this.#act(party);
  };
}

class Counts {
  readonly #counts = new Map<string, number>();

  next(name: string): number {
    const count = this.#counts.get(name) ?? 0;
    this.#counts.set(name, count + 1);
    return count;
  }
}
