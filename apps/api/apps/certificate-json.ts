import type { HostnameHolder } from "#control";

/** What is so of every hostname as long as it is served over HTTP alone. */
const WITHOUT_CERTIFICATE = {
  status: "no_certificate",
  configured: false,
  acme_requested: false,
} as const;

/** A hostname as `CertificateSummary` of the Machines API: it has no certificate, and says so. */
export function certificateSummary({ hostname, claimedAtMs }: HostnameHolder) {
  const at = new Date(claimedAtMs).toISOString();
  return {
    hostname,
    ...WITHOUT_CERTIFICATE,
    acme_alpn_configured: false,
    acme_dns_configured: false,
    acme_http_configured: false,
    has_custom_certificate: false,
    has_fly_certificate: false,
    ownership_txt_configured: false,
    created_at: at,
    updated_at: at,
  };
}

/** A hostname as `CertificateDetail` of the Machines API. */
export function certificateDetail({ hostname, claimedAtMs }: HostnameHolder) {
  return {
    hostname,
    ...WITHOUT_CERTIFICATE,
    certificates: [],
    validation: {
      alpn_configured: false,
      dns_configured: false,
      http_configured: false,
      ownership_txt_configured: false,
    },
    validation_errors: [
      {
        code: "no_certificate",
        message: "requests for this host reach the app over HTTP; there is no certificate for HTTPS",
        remediation: "point the name at the router, and use HTTP",
        timestamp: new Date(claimedAtMs).toISOString(),
      },
    ],
  };
}
