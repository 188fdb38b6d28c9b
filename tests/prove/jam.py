"""An alert that no case is generated for, and a plain promtool file about it; scenarios are the tests' own."""

JAM = """\
Jam:
  kind: expr
  expr: paper_jam > 0 or door_open > 0 unless on () maintenance
  severity: warning
  summary: Jammed
"""
PLAIN = """\
rule_files: [../build/rules/demo.yml]
evaluation_interval: 1m
tests:
  - name: the door
    interval: 1m
    input_series:
      - {series: 'door_open{printer="p1"}', values: 0x9 1x20 0x9}
      - {series: 'maintenance', values: _x20 1x20}
    alert_rule_test:
      - eval_time: 15m
        alertname: Jam
        exp_alerts:
          - exp_labels: {printer: p1, severity: warning, system: demo}
            exp_annotations: {summary: Jammed}
      - {eval_time: 25m, alertname: Jam, exp_alerts: []}
"""
