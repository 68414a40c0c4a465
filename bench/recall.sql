-- A world of campaigns ${from} to ${to}. Each begins with a raw lot, goes over 29 lots in four levels to 150 finished lots
-- of 300 units: 288,000 movements of units and 72,000 of class-level goods. Everything is a function of numbers.

-- Units: at the line, packed, through three doors inside a pallet of 50, shipped and received; two in five come back.
INSERT INTO ${database}.lot_sightings (lot, tag, read_point, slot, lane, origin, path, version, binding, relabelled,
  reader, policy, mapping, location, first_at, last_at, reads, state, direction, marks, evidence, recorded_at, event,
  biz_step, disposition, document, line, party, source_partition, source_offset)
WITH number + ${from} * 288000 AS row, intDiv(row * 5, 32) AS unit, row - intDiv(unit * 32 + 4, 5) AS step,
     intDiv(unit, 300) AS made, intDiv(unit, 50) AS load, intDiv(made, 5) * 3 + load % 3 AS paper,
     intDiv(made, 150) AS campaign, step >= 5 AS told, step >= 2 AS packed,
     1763370000 - (${days} - campaign % ${days}) * 86400 + made % 150 * 300 AS begun,
     [0, 600, 86400, 87000, 259200, 259800, 345600, 900000][step + 1] AS passed,
     if(told, 0, cityHash64(if(packed, load, unit), step) % 120000) AS jitter,
     if(step < 2, cityHash64(unit, step) % 4000, 3000) AS stay,
     (begun + passed) * 1000000 + jitter * 1000 AS at,
     if(told, concat('ni:///sha-256;', hex(SHA256(concat(toString(step), '-', toString(paper)))), '?ver=CBV2.0'), '') AS said,
     load * 10 + 3 * (load % 7) AS odd, leftPad(toString(load), 9, '0') AS digits,
     concat('00/06141410', digits, toString((90 - (1 * 3 + 6 + 4 * 3 + 1 + 4 * 3 + 1 + 0 * 0
       + arraySum(i -> toUInt8(substring(digits, i, 1)) * if(i % 2 = 1, 3, 1), range(1, 10))) % 10) % 10)) AS pallet
SELECT concat('01/10614141073464/10/F', leftPad(toString(made), 7, '0')), concat('01/10614141073464/21/', toString(unit)),
       concat(['line', 'pack', 'dock', 'shelf', 'gate', 'gate', 'store', 'dock'][step + 1], '/', toString(made % 8)),
       intDiv(at, 30000000), if(told, concat('event:', said), ''), if(packed, pallet, ''), if(packed, [pallet], []),
       [0, intDiv(row, 200)], intDiv(made, 10), -1, if(told, '', concat('reader-', toString(made % 8))), 1, 1,
       if(step < 5, concat('414/061414100', leftPad(toString(step), 4, '0')),
                    concat('414/061414200', leftPad(toString(paper % 200), 4, '0'))),
       fromUnixTimestamp64Micro(at), fromUnixTimestamp64Micro(at + if(told, 0, stay * 1000)), if(told, 0, 3 + unit % 9),
       'observed', 'unknown', 1, if(told, 'declared', if(packed, 'inferred', 'confirmed')),
       fromUnixTimestamp64Micro(at + stay * 1000 + 150000 + intDiv(row, 200) % 50000), said,
       if(step = 5, 'shipping', if(step >= 6, 'receiving', '')), if(step = 5, 'in_transit', ''),
       if(told, concat('desadv:', toString(paper)), ''), if(told, toString(made % 5 + 1), ''),
       if(step = 5, concat('417/061414100', leftPad(toString(paper % 200), 4, '0')), ''), row % 24, intDiv(row, 200)
FROM numbers((${to} - ${from}) * 288000);

INSERT INTO ${database}.quantities (lot, identity, revision, source, location, source_disposition, disposition, amount,
  uom, cases, effect, biz_step, evidence, document, line, party, read_point, event, at, recorded_at, source_partition,
  source_offset)
WITH number + ${from} * 72000 AS row, intDiv(row, 2400) AS lot, row % 2400 AS fact, intDiv(lot, 30) AS campaign,
     1763370000 - (${days} - campaign % ${days} + 10) * 86400 + intDiv(lot % 30, 2) * 21600 AS begun,
     (begun + fact * 7) * 1000000 + cityHash64(row) % 3000 * 1000 AS at, fact < 20 AS came, fact >= 2380 AS sent,
     concat('desadv:Q', toString(lot), '-', toString(fact % 20)) AS paper
SELECT concat('01/90614141000411/10/R', leftPad(toString(lot), 7, '0')),
       if(came OR sent, concat(paper, '|1|', if(came, 'receiving', 'shipping')),
                        concat('scanner-', toString(lot % 20), '|boot|', toString(row))),
       intDiv(at, 1000), if(came, '414/0614141000002', if(sent, '414/0614141000004', '414/0614141000002')),
       if(sent, concat('414/061414200', leftPad(toString(lot % 200), 4, '0')),
                if(came, '414/0614141000002', concat('414/061414100', leftPad(toString(3 + fact % 2), 4, '0')))),
       if(came, 'in_transit', ''), if(sent, 'in_transit', ''), if(came, 1500, 12.5), 'KGM', 1, 'moved',
       if(came, 'receiving', if(sent, 'shipping', 'storing')), if(came OR sent, 'declared', 'confirmed'),
       if(came OR sent, paper, ''), if(came OR sent, '1', ''),
       if(sent, concat('417/061414100', leftPad(toString(lot % 200), 4, '0')), ''), 'gate/1',
       if(came OR sent, concat('ni:///sha-256;', hex(SHA256(paper)), '?ver=CBV2.0'), ''),
       fromUnixTimestamp64Micro(at), fromUnixTimestamp64Micro(at + 400000), row % 24, intDiv(row, 100)
FROM numbers((${to} - ${from}) * 72000);

INSERT INTO ${database}.lots (lot, gtin, code, event, at, description, location, produced_at, expires, units, amount, uom,
  status, retracted, recorded_at, site, line, source_partition, source_offset)
WITH number + ${from} * 180 AS row, intDiv(row, 180) AS campaign, row % 180 AS place, place < 30 AS by_class,
     1763370000 - (${days} - campaign % ${days}) * 86400 + place * 300 AS at,
     leftPad(toString(if(by_class, campaign * 30 + place, campaign * 150 + place - 30)), 7, '0') AS digits
SELECT if(by_class, concat('01/90614141000411/10/R', digits), concat('01/10614141073464/10/F', digits)),
       if(by_class, '90614141000411', '10614141073464'), concat(if(by_class, 'R', 'F'), digits),
       concat('ni:///sha-256;', hex(SHA256(digits)), '?ver=CBV2.0'), toDateTime64(at, 6, 'UTC'),
       if(by_class, 'Tomatoes, diced', 'Ready meal 400 g'), '414/0614141000000', toDateTime64(at, 6, 'UTC'),
       toDate32(toDateTime(at + 8640000, 'UTC')), if(by_class, NULL, 300), if(by_class, 30000, NULL),
       if(by_class, 'KGM', ''), 'active', 0, toDateTime64(at + 1, 6, 'UTC'), 'plant', toString(place % 4), row % 24, row
FROM numbers((${to} - ${from}) * 180);

-- Lot 0 makes 1, 1 makes 2 and 3, and so on: 1, 2, 4, 8 and 14 lots a level; each of the last makes ten finished lots or
-- eleven. Every process takes a lot beside the one above it, too.
INSERT INTO ${database}.transformations (process, event, side, lot, units, part, items, amount, uom, location, biz_step,
  document, at, retracted, recorded_at, source_partition, source_offset)
WITH number % 3 AS part, intDiv(number, 3) + ${from} * 179 AS row, intDiv(row, 179) AS campaign, row % 179 + 1 AS child,
     child >= 30 AS finished,
     if(finished, 15 + (child - 30) % 15, if(child = 1, 0, intDiv(child, 2))) AS above,
     if(finished, 15 + (child - 29) % 15, above) AS beside,
     concat('ni:///sha-256;', hex(SHA256(concat('t', toString(row)))), '?ver=CBV2.0') AS said,
     1763370000 - (${days} - campaign % ${days}) * 86400 + child * 300 AS at
SELECT said, said, if(part = 2, 'output', 'input'),
       if(part = 2 AND finished, concat('01/10614141073464/10/F', leftPad(toString(campaign * 150 + child - 30), 7, '0')),
          concat('01/90614141000411/10/R', leftPad(toString(campaign * 30 + [above, beside, child][part + 1]), 7, '0'))),
       [], 0, if(part = 2 AND finished, 300, 0), if(part = 2 AND finished, NULL, 1000),
       if(part = 2 AND finished, '', 'KGM'), '414/0614141000000', 'commissioning', '', toDateTime64(at, 6, 'UTC'), 0,
       toDateTime64(at + 1, 6, 'UTC'), row % 24, row
FROM numbers((${to} - ${from}) * 179 * 3)
WHERE NOT (part = 1 AND beside = above);

-- Rework of units that nobody said the lot of, back into their own lot.
INSERT INTO ${database}.transformations (process, event, side, lot, units, part, items, amount, uom, location, biz_step,
  document, at, retracted, recorded_at, source_partition, source_offset)
WITH intDiv(number, 2) + ${from} * 15 AS row, number % 2 = 1 AS output, intDiv(row, 15) * 150 + row % 15 AS made,
     concat('ni:///sha-256;', hex(SHA256(concat('6-', toString(intDiv(made, 5) * 3)))), '?ver=CBV2.0') AS said
SELECT concat('rework-', toString(row)), said, if(output, 'output', 'input'),
       if(output, concat('01/10614141073464/10/F', leftPad(toString(made), 7, '0')), ''),
       if(output, [], [concat('01/10614141073464/21/', toString(made * 300))]), 0, 1, NULL, '', '414/0614141000000',
       'commissioning', '', toDateTime64(1763370000 - (${days} - intDiv(row, 15) % ${days}) * 86400 + 345600, 6, 'UTC'), 0,
       toDateTime64(1763370000, 6, 'UTC'), row % 24, row
FROM numbers((${to} - ${from}) * 15 * 2);

INSERT INTO ${database}.bindings (relation, subject, first_serial, last_serial, object, action, at, event, retracted,
  recorded_at, source_partition, source_offset)
WITH number + ${from} * 150 AS made
SELECT 'lot', '01/10614141073464', made * 300, made * 300 + 299,
       concat('01/10614141073464/10/F', leftPad(toString(made), 7, '0')), 'ADD',
       toDateTime64(1763370000 - (${days} - intDiv(made, 150) % ${days}) * 86400, 6, 'UTC'),
       concat('ni:///sha-256;', hex(SHA256(leftPad(toString(made), 7, '0'))), '?ver=CBV2.0'), 0,
       toDateTime64(1763370000 - (${days} - intDiv(made, 150) % ${days}) * 86400 + 1, 6, 'UTC'), made % 24, made
FROM numbers((${to} - ${from}) * 150);

INSERT INTO ${database}.bindings (relation, subject, first_serial, last_serial, object, action, at, event, retracted,
  recorded_at, source_partition, source_offset)
WITH intDiv(number, 2) + ${from} * 45000 AS unit, number % 2 = 1 AS inside, intDiv(unit, 50) AS load,
     intDiv(unit, 45000) AS campaign, leftPad(toString(load), 9, '0') AS digits,
     concat('00/06141410', digits, toString((90 - (1 * 3 + 6 + 4 * 3 + 1 + 4 * 3 + 1 + 0 * 0
       + arraySum(i -> toUInt8(substring(digits, i, 1)) * if(i % 2 = 1, 3, 1), range(1, 10))) % 10) % 10)) AS pallet,
     concat('01/10614141073464/21/', toString(unit)) AS tag,
     1763370000 - (${days} - campaign % ${days}) * 86400 + intDiv(unit, 300) % 150 * 300 + 900 AS at
SELECT if(inside, 'content', 'parent'), if(inside, pallet, tag), -1, -1, if(inside, tag, pallet), 'ADD',
       toDateTime64(at, 6, 'UTC'), concat('ni:///sha-256;', hex(SHA256(concat('p', toString(load)))), '?ver=CBV2.0'), 0,
       toDateTime64(at + 1, 6, 'UTC'), load % 24, load
FROM numbers((${to} - ${from}) * 45000 * 2);

INSERT INTO ${database}.document_lines (document, line, event, biz_step, at, lot, units, amount, uom, from_party,
  to_party, from_location, to_location, retracted, recorded_at, source_partition, source_offset)
WITH intDiv(number, 2) + ${from} * 450 AS row, number % 2 + 5 AS step, intDiv(row, 3) AS made, row % 3 AS part,
     intDiv(made, 5) * 3 + part AS paper, 1763370000 - (${days} - intDiv(made, 150) % ${days}) * 86400 + made % 150 * 300 AS begun
SELECT concat('desadv:', toString(paper)), toString(made % 5 + 1),
       concat('ni:///sha-256;', hex(SHA256(concat(toString(step), '-', toString(paper)))), '?ver=CBV2.0'),
       if(step = 5, 'shipping', 'receiving'), toDateTime64(begun + 259800, 6, 'UTC'), '',
       [concat('00/06141410', leftPad(toString(made * 6 + part), 9, '0'), '0')], NULL, '', '417/0614141000005',
       concat('417/061414100', leftPad(toString(paper % 200), 4, '0')), '414/0614141000004',
       concat('414/061414200', leftPad(toString(paper % 200), 4, '0')), 0, toDateTime64(begun + 259801, 6, 'UTC'),
       row % 24, row
FROM numbers((${to} - ${from}) * 450 * 2);

-- The events as sent: what packed each pallet, what shipped and received each document, what made each lot.
INSERT INTO ${database}.events (event, event_type, event_id, at, action, biz_step, disposition, read_point, biz_location,
  error, text, source, recorded_at, source_partition, source_offset)
WITH number + ${from} * 900 AS load, intDiv(load, 6) AS made,
     1763370000 - (${days} - intDiv(made, 150) % ${days}) * 86400 + made % 150 * 300 + 900 AS at
SELECT concat('ni:///sha-256;', hex(SHA256(concat('p', toString(load)))), '?ver=CBV2.0'), 'AggregationEvent', '',
       toDateTime64(at, 6, 'UTC'), 'ADD', 'packing', 'in_progress', 'pack/1', '414/0614141000001', 0,
       concat('{"type":"AggregationEvent","action":"ADD","bizStep":"packing","eventTime":"', toString(toDateTime(at, 'UTC')),
         'Z","eventTimeZoneOffset":"+00:00","parentID":"https://id.gs1.org/00/06141410', leftPad(toString(load), 9, '0'), '0",',
         '"childEPCs":["', arrayStringConcat(arrayMap(i -> concat('https://id.gs1.org/01/10614141073464/21/', toString(load * 50 + i)),
         range(50)), '","'), '"],"bizLocation":{"id":"https://id.gs1.org/414/0614141000001"}}'), 'mes',
       toDateTime64(at + 1, 6, 'UTC'), load % 24, load
FROM numbers((${to} - ${from}) * 900);

INSERT INTO ${database}.events (event, event_type, event_id, at, action, biz_step, disposition, read_point, biz_location,
  error, text, source, recorded_at, source_partition, source_offset)
WITH number % 2 + 5 AS step, intDiv(number, 2) + ${from} * 90 AS paper, intDiv(paper, 90) AS campaign,
     1763370000 - (${days} - campaign % ${days}) * 86400 + paper % 90 * 500 + 259800 + (step - 5) * 86400 AS at
SELECT concat('ni:///sha-256;', hex(SHA256(concat(toString(step), '-', toString(paper)))), '?ver=CBV2.0'), 'ObjectEvent', '',
       toDateTime64(at, 6, 'UTC'), 'OBSERVE', if(step = 5, 'shipping', 'receiving'), 'in_transit', 'gate/1', '', 0,
       concat('{"type":"ObjectEvent","action":"OBSERVE","bizStep":"', if(step = 5, 'shipping', 'receiving'),
         '","eventTime":"', toString(toDateTime(at, 'UTC')), 'Z","eventTimeZoneOffset":"+00:00","epcList":["',
         arrayStringConcat(arrayMap(i -> concat('https://id.gs1.org/00/06141410', leftPad(toString(paper * 10 + i), 9, '0'), '0'),
         range(10)), '","'), '"],"bizTransactionList":[{"type":"desadv","bizTransaction":"', toString(paper), '"}]}'), 'erp',
       toDateTime64(at + 1, 6, 'UTC'), paper % 24, paper
FROM numbers((${to} - ${from}) * 90 * 2);

INSERT INTO ${database}.events (event, event_type, event_id, at, action, biz_step, disposition, read_point, biz_location,
  error, text, source, recorded_at, source_partition, source_offset)
WITH number + ${from} * 179 AS row, intDiv(row, 179) AS campaign, row % 179 + 1 AS child,
     1763370000 - (${days} - campaign % ${days}) * 86400 + child * 300 AS at
SELECT concat('ni:///sha-256;', hex(SHA256(concat('t', toString(row)))), '?ver=CBV2.0'), 'TransformationEvent', '',
       toDateTime64(at, 6, 'UTC'), '', 'commissioning', 'active', 'line/1', '414/0614141000000', 0,
       concat('{"type":"TransformationEvent","bizStep":"commissioning","eventTime":"', toString(toDateTime(at, 'UTC')),
         'Z","eventTimeZoneOffset":"+00:00","inputQuantityList":[{"epcClass":"https://id.gs1.org/01/90614141000411/10/R',
         leftPad(toString(campaign * 30), 7, '0'), '","quantity":1000,"uom":"KGM"}],"outputQuantityList":[{"epcClass":"',
         'https://id.gs1.org/01/90614141000411/10/R', leftPad(toString(campaign * 30 + child % 30), 7, '0'),
         '","quantity":1000,"uom":"KGM"}]}'), 'mes', toDateTime64(at + 1, 6, 'UTC'), row % 24, row
FROM numbers((${to} - ${from}) * 179);

-- The same sightings by tag, as the stream writes them to both topics.
INSERT INTO ${database}.sightings (tag, read_point, slot, lane, origin, path, version, reader, policy, mapping, location,
  first_at, last_at, reads, state, direction, marks, evidence, recorded_at, event, biz_step, disposition, document, line,
  party, runs, source_partition, source_offset)
SELECT tag, read_point, slot, lane, origin, path, version, reader, policy, mapping, location, first_at, last_at, reads,
       state, direction, marks, evidence, recorded_at, event, biz_step, disposition, document, line, party,
       if(evidence = 'confirmed', [[toUnixTimestamp64Micro(first_at), toUnixTimestamp64Micro(last_at), reads, 1, reads, -5500]], []),
       source_partition, source_offset
FROM ${database}.lot_sightings
WHERE lot_key IN (SELECT sipHash64(concat('01/10614141073464/10/F', leftPad(toString(number), 7, '0')))
                  FROM numbers(${from} * 150, (${to} - ${from}) * 150));
