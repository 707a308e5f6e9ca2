{{/* The name of the application in labels. */}}
{{- define "metallb-frr.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* What the names of all objects begin with. 50 characters leave room for what follows. */}}
{{- define "metallb-frr.fullname" -}}
{{- $name := include "metallb-frr.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels by which the pods of a component are found; they never change. Takes (dict "root" $ "component" "speaker"). */}}
{{- define "metallb-frr.selectorLabels" -}}
app.kubernetes.io/name: {{ include "metallb-frr.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Labels of an object. Takes the same. */}}
{{- define "metallb-frr.labels" -}}
{{ include "metallb-frr.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/* Name of the ServiceAccount of a component. Takes the same. */}}
{{- define "metallb-frr.serviceAccountName" -}}
{{- $account := (get .root.Values .component).serviceAccount -}}
{{- $own := printf "%s-%s" (include "metallb-frr.fullname" .root) .component -}}
{{- if $account.create -}}
{{- default $own $account.name -}}
{{- else -}}
{{- default "default" $account.name -}}
{{- end -}}
{{- end -}}

{{/* Takes (dict "root" $ "image" $.Values.image). */}}
{{- define "metallb-frr.image" -}}
{{- printf "%s:%s" .image.repository (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}

{{/* Who this pod is. */}}
{{- define "metallb-frr.podEnv" -}}
- name: METALLB_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: METALLB_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{- end -}}

{{/* The options that controller and speaker share. Takes (dict "root" $ "component" "speaker"). */}}
{{- define "metallb-frr.commonArgs" -}}
{{- $values := get .root.Values .component -}}
- --namespace=$(METALLB_NAMESPACE)
- --log-level={{ $values.logLevel }}
{{- with .root.Values.loadBalancerClass }}
- {{ printf "--lb-class=%s" . | quote }}
{{- end }}
{{- if .root.Values.prometheus.plainHTTP }}
- --metrics-port={{ $values.metricsPort }}
- --port=0
{{- else }}
- --metrics-port=0
- --port={{ include "metallb-frr.metricsPort" . }}
{{- end }}
{{- with .root.Values.tls.minVersion }}
- --tls-min-version={{ . }}
{{- end }}
{{- with .root.Values.tls.cipherSuites }}
- {{ printf "--tls-cipher-suites=%s" . | quote }}
{{- end }}
{{- with .root.Values.tls.curvePreferences }}
- {{ printf "--tls-curve-preferences=%s" . | quote }}
{{- end }}
{{- if include "metallb-frr.certificateSecret" . }}
- --metrics-cert-dir=/etc/metrics-certificate
{{- end }}
- --health-probe-port=17472
{{- end -}}

{{/* The port that has the metrics of a component; 0: none. Takes the same. */}}
{{- define "metallb-frr.metricsPort" -}}
{{- if .root.Values.prometheus.plainHTTP -}}
{{- (get .root.Values .component).metricsPort -}}
{{- else if kindIs "invalid" .root.Values.prometheus.secureMetricsPort -}}
{{- .root.Values.prometheus.metricsPort -}}
{{- else -}}
{{- .root.Values.prometheus.secureMetricsPort -}}
{{- end -}}
{{- end -}}

{{/* The Secret with the certificate of its metrics; empty: none. Takes the same. */}}
{{- define "metallb-frr.certificateSecret" -}}
{{- $name := printf "%sMetricsTLSSecret" .component -}}
{{- get .root.Values.tls $name | default (get .root.Values.prometheus $name) -}}
{{- end -}}

{{/* The annotations of its pods. Takes the same. */}}
{{- define "metallb-frr.podAnnotations" -}}
{{- $port := include "metallb-frr.metricsPort" . -}}
{{- $scrape := dict -}}
{{- if and .root.Values.prometheus.scrapeAnnotations (int $port) -}}
{{- $scheme := ternary "http" "https" .root.Values.prometheus.plainHTTP -}}
{{- $scrape = dict "prometheus.io/scrape" "true" "prometheus.io/port" $port "prometheus.io/path" "/metrics" "prometheus.io/scheme" $scheme -}}
{{- end -}}
{{- with merge (dict) (get .root.Values .component).podAnnotations $scrape -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{/*
How Prometheus asks for them: with its own token, which the API server knows; the certificate is nobody's as a rule.
Takes (dict "root" $ "of" .Values.prometheus.podMonitor "tlsConfig" (dict)).
*/}}
{{- define "metallb-frr.scrape" -}}
port: metrics
path: /metrics
{{- if not .root.Values.prometheus.plainHTTP }}
scheme: https
bearerTokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token
{{- with .tlsConfig }}
tlsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
{{- with .of.interval }}
interval: {{ . }}
{{- end }}
{{- with .of.metricRelabelings }}
metricRelabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .of.relabelings }}
relabelings:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* A probe of a container. Takes (dict "probe" .Values.speaker.livenessProbe "name" "livenessProbe" "check" (dict)). */}}
{{- define "metallb-frr.probe" -}}
{{- if .probe.enabled -}}
{{- toYaml (dict .name (merge (dict) .check (omit .probe "enabled"))) -}}
{{- end -}}
{{- end -}}

{{/*
Namespace, labels and annotations of an object for the Prometheus operator.
Takes (dict "root" $ "component" "speaker" "labels" (dict) "annotations" (dict)).
*/}}
{{- define "metallb-frr.monitorMetadata" -}}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "metallb-frr.labels" (dict "root" .root "component" .component) | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Which pools an alert is about, as labels of Prometheus. Takes (dict "root" $ "excluded" "a regular expression"). */}}
{{- define "metallb-frr.poolSelector" -}}
{{- printf "namespace=%q" .root.Release.Namespace -}}
{{- with .excluded }}{{ printf ", pool!~%q" . }}{{ end -}}
{{- end -}}

{{/* What is set at a path: {"isSet": true, "value": 7946}. Takes (dict "values" .Values.AsMap "path" "speaker.memberlist"). */}}
{{- define "metallb-frr.valueAt" -}}
{{- $at := .values -}}
{{- range splitList "." .path -}}
{{- if kindIs "map" $at -}}{{- $at = get $at . -}}{{- else -}}{{- $at = "" -}}{{- end -}}
{{- end -}}
{{- dict "isSet" (not (or (kindIs "invalid" $at) (eq (toString $at) ""))) "value" $at | toJson -}}
{{- end -}}

{{/* Values of MetalLB that were given and mean nothing here, with commas. */}}
{{- define "metallb-frr.unused" -}}
{{- $known := list
  "controller.image" "controller.webhookMode" "controller.tlsMinVersion" "controller.tlsCipherSuites"
  "speaker.image" "speaker.frr.enabled" "speaker.frr.image" "speaker.frr.metricsPort" "speaker.frr.secureMetricsPort"
  "speaker.memberlist" "speaker.secretName" "speaker.bgpDebounceTimeout"
  "speaker.reloader" "speaker.frrMetrics" "speaker.initContainers"
  "prometheus.rbacProxy" "crds" "frrk8s" "frr-k8s"
-}}
{{- $given := list -}}
{{- range $known -}}
{{- $at := include "metallb-frr.valueAt" (dict "values" $.Values.AsMap "path" .) | fromJson -}}
{{- if $at.isSet -}}{{- $given = append $given . -}}{{- end -}}
{{- end -}}
{{- join ", " $given -}}
{{- end -}}
