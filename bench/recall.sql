-- Ten sightings of each unit, one of them declared by a shipping event; lots of 50 units. And as many class-level lots.
INSERT INTO bench.lot_sightings (lot, tag, read_point, slot, lane, version, binding, relabelled, location, first_at,
  last_at, reads, state, marks, evidence, recorded_at, event, biz_step, disposition, document, line, party,
  source_partition, source_offset)
SELECT concat('01/10614141073464/10/L', leftPad(toString(intDiv(number, 500)), 5, '0')),
       concat('01/10614141073464/21/', toString(intDiv(number, 10))), concat('dock/', toString(number % 10)),
       58779000 + (number % 10) * 240, if(number % 10 = 7, concat('event:', repeat('0123456789abcdef', 4)), ''),
       [0, number], intDiv(number, 500), -1, concat('414/061414100', toString(number % 10)),
       toDateTime64(1763370000 + (number % 10) * 7200, 6, 'UTC'),
       toDateTime64(1763370005 + (number % 10) * 7200, 6, 'UTC'), 12, 'observed', 1,
       if(number % 10 = 7, 'declared', 'confirmed'), toDateTime64(1763370010 + (number % 10) * 7200, 6, 'UTC'),
       if(number % 10 = 7, 'e', ''), if(number % 10 = 7, 'shipping', ''), if(number % 10 = 7, 'in_transit', ''),
       if(number % 10 = 7, concat('desadv:', toString(intDiv(number, 500) % 50)), ''), '1',
       if(number % 10 = 7, '417/0614141001011', ''), 0, number
FROM numbers(${rows});

INSERT INTO bench.sightings (tag, read_point, slot, lane, version, location, first_at, last_at, reads, state, marks,
  evidence, recorded_at, source_partition, source_offset)
SELECT tag, read_point, slot, lane, version, location, first_at, last_at, reads, state, marks, evidence, recorded_at,
       source_partition, source_offset
FROM bench.lot_sightings;

INSERT INTO bench.lots (lot, gtin, code, event, at, description, location, produced_at, expires, units, status,
  retracted, recorded_at, source_partition, source_offset)
SELECT concat('01/10614141073464/10/L', leftPad(toString(number), 5, '0')), '10614141073464',
       concat('L', leftPad(toString(number), 5, '0')), toString(number), toDateTime64(1763370000, 6, 'UTC'),
       'Ready meal', '414/0614141000000', toDateTime64(1763370000, 6, 'UTC'), '2026-03-01', 50, 'active', 0,
       toDateTime64(1763370000, 6, 'UTC'), 0, number
FROM numbers(intDiv(${rows}, 500));

INSERT INTO bench.quantities (lot, identity, revision, source, location, amount, uom, cases, biz_step, evidence, at,
  recorded_at, source_partition, source_offset)
SELECT concat('01/90614141000411/10/W', leftPad(toString(number % intDiv(${rows}, 500)), 5, '0')), toString(number), 1,
       '', 'plant', 12.5, 'KGM', 1, 'commissioning', 'confirmed', toDateTime64(1763370000, 6, 'UTC'),
       toDateTime64(1763370000, 6, 'UTC'), 0, number
FROM numbers(intDiv(${rows}, 25));

INSERT INTO bench.locations (id, name, mapping, recorded_at, source_partition, source_offset)
SELECT concat('414/061414100', toString(number)), concat('Place ', toString(number)), 1,
       toDateTime64(1763370000, 6, 'UTC'), 0, 1
FROM numbers(200);
