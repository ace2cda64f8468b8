package pool

import (
	"strconv"
	"strings"
)

// environment is what the client metadata tells of where the process runs.
type environment struct {
	getenv func(string) string
	docker bool // /.dockerenv exists
	os     osInfo
}

// OnFaaS reports whether the process runs as a function of a cloud, where
// monitors poll because streams do not survive being frozen.
func OnFaaS() bool { return processEnvironment().faas() != "" }

// faas is client.env.name: the one provider whose variables are set, where
// Vercel prevails over AWS, which it builds on.
func (e environment) faas() string {
	var found []string
	if strings.HasPrefix(e.getenv("AWS_EXECUTION_ENV"), "AWS_Lambda_") || e.getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		found = append(found, "aws.lambda")
	}
	if e.getenv("VERCEL") != "" {
		found = []string{"vercel"}
	}
	if e.getenv("FUNCTIONS_WORKER_RUNTIME") != "" {
		found = append(found, "azure.func")
	}
	if e.getenv("K_SERVICE") != "" || e.getenv("FUNCTION_NAME") != "" {
		found = append(found, "gcp.func")
	}
	if len(found) != 1 {
		return ""
	}
	return found[0]
}

// detect is client.env.
func (e environment) detect() envInfo {
	info := envInfo{name: e.faas()}
	switch info.name {
	case "aws.lambda":
		info.region = e.getenv("AWS_REGION")
		info.memoryMB = e.int32("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
	case "gcp.func":
		info.region = e.getenv("FUNCTION_REGION")
		info.memoryMB = e.int32("FUNCTION_MEMORY_MB")
		info.timeoutSec = e.int32("FUNCTION_TIMEOUT_SEC")
	case "vercel":
		info.region = e.getenv("VERCEL_REGION")
	}
	if e.docker {
		info.runtime = "docker"
	}
	if e.getenv("KUBERNETES_SERVICE_HOST") != "" {
		info.orchestrator = "kubernetes"
	}
	return info
}

// int32 is a variable's number; nil if it has none.
func (e environment) int32(name string) *int32 {
	n, err := strconv.ParseInt(e.getenv(name), 10, 32)
	if err != nil {
		return nil
	}
	i := int32(n)
	return &i
}
