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
{{- if .root.Values.metrics.plainHTTP }}
- --metrics-port={{ $values.metricsPort }}
- --port=0
{{- else }}
- --metrics-port=0
- --port={{ .root.Values.metrics.securePort }}
{{- end }}
- --health-probe-port=17472
{{- end -}}

{{/* The port that has the metrics of a component; 0: none. Takes the same. */}}
{{- define "metallb-frr.metricsPort" -}}
{{- if .root.Values.metrics.plainHTTP -}}
{{- (get .root.Values .component).metricsPort -}}
{{- else -}}
{{- .root.Values.metrics.securePort -}}
{{- end -}}
{{- end -}}

{{/* How Prometheus asks for them: with its own token, which the API server knows; the certificate is nobody's. */}}
{{- define "metallb-frr.scrape" -}}
port: metrics
path: /metrics
{{- if not .Values.metrics.plainHTTP }}
scheme: https
bearerTokenFile: /var/run/secrets/kubernetes.io/serviceaccount/token
tlsConfig:
  insecureSkipVerify: true
{{- end }}
{{- end -}}

{{/* Namespace and labels of an object for the Prometheus operator. Takes (dict "root" $ "component" "speaker" "labels" (dict)). */}}
{{- define "metallb-frr.monitorMetadata" -}}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "metallb-frr.labels" (dict "root" .root "component" .component) | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}
