import type { HostEvent } from "#contracts";
import { holdReservation, releaseReservation } from "./holdings.ts";
import { claimantId } from "./reservation.ts";
import type { Host } from "./state.ts";

/** A newer reservation of the same machine or volume takes the place of its older one. */
export function reserved(host: Host, data: Extract<HostEvent, { type: "ReservationMade" }>["data"]): Host {
  const { hostId: _, reservationId: id, ...promised } = data;
  endReservation(host, host.holdings.reservationOf.get(claimantId(promised)));
  const reservation = { id, ...promised };
  host.reservations.set(id, reservation);
  holdReservation(host.holdings, reservation);
  return host;
}

export function endReservation(host: Host, id: string | undefined): Host {
  const reservation = id === undefined ? undefined : host.reservations.get(id);
  if (reservation === undefined) return host;
  host.reservations.delete(reservation.id);
  releaseReservation(host.holdings, reservation);
  return host;
}
