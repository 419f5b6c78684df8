import { describe, expect, test } from 'vitest';
import { makeMetrics } from '../../src/http/metrics.js';

describe('metrics', () => {
  test('each door counts under its own names', async () => {
    const metrics = makeMetrics('1.2.3');
    metrics.radius.dropped('unknown_client');
    metrics.radius.dropped('unknown_client');
    metrics.radius.duplicate('resent');
    metrics.radius.answered(2);
    metrics.radius.internalError();
    metrics.ldap.closed('too_large');
    metrics.ldap.error(49);
    metrics.ldap.bind('accepted');
    metrics.http.problem(404);
    metrics.http.answered('GET', '/api/v1/users/:id', 404, 0.004);
    metrics.internalError('ldap');
    const text = await metrics.text();
    for (const line of [
      'sallyport_info{version="1.2.3"} 1',
      'sallyport_radius_dropped_total{cause="unknown_client"} 2',
      'sallyport_radius_duplicates_total{kind="resent"} 1',
      'sallyport_radius_answers_total{code="2"} 1',
      'sallyport_ldap_closed_total{cause="too_large"} 1',
      'sallyport_ldap_errors_total{code="49"} 1',
      'sallyport_ldap_binds_total{outcome="accepted"} 1',
      'sallyport_http_problems_total{status="404"} 1',
      'sallyport_http_request_seconds_bucket{le="0.005",method="GET",route="/api/v1/users/:id",status="404"} 1',
      'sallyport_internal_errors_total{door="radius"} 1',
      'sallyport_internal_errors_total{door="ldap"} 1',
    ]) {
      expect(text).toContain(line);
    }
    expect(text).toMatch(/^process_resident_memory_bytes \d+/m);
    expect(metrics.contentType).toContain('text/plain');
  });

  test('a decision counts by door, outcome and reason, with its time in seconds', async () => {
    const metrics = makeMetrics('1');
    metrics.decided('radius', { outcome: 'refused', reason: 'wrong_otp', eventId: 'e' }, 3);
    metrics.decided('radius', { outcome: 'refused', reason: 'wrong_otp', eventId: 'e' }, 4);
    metrics.decided('ldap', { outcome: 'unavailable', cause: 'upstream', eventId: null }, 4_000);
    const text = await metrics.text();
    expect(text).toContain('sallyport_decisions_total{door="radius",outcome="refused",reason="wrong_otp"} 2');
    expect(text).toContain('sallyport_decisions_total{door="ldap",outcome="unavailable",reason="upstream"} 1');
    expect(text).toContain('sallyport_decision_seconds_bucket{le="0.005",door="radius"} 2');
    expect(text).toContain('sallyport_decision_seconds_sum{door="radius"} 0.007');
    expect(text).toContain('sallyport_decision_seconds_bucket{le="3",door="ldap"} 0');
  });

  test('a batch counts its size and its time', async () => {
    const metrics = makeMetrics('1');
    metrics.ledger.batch(3, 2);
    const text = await metrics.text();
    expect(text).toContain('sallyport_ledger_batch_size_bucket{le="2"} 0');
    expect(text).toContain('sallyport_ledger_batch_size_bucket{le="4"} 1');
    expect(text).toContain('sallyport_ledger_commit_seconds_bucket{le="0.002"} 1');
  });

  test('a gauge is read when the metrics are', async () => {
    const metrics = makeMetrics('1');
    let length = 1;
    metrics.gauge('queue_length', 'What waits', () => length);
    length = 7;
    expect(await metrics.text()).toContain('sallyport_queue_length 7');
  });
});
