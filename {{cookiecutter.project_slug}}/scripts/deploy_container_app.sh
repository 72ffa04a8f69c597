#!/usr/bin/env bash
# Runs one part of a deployment to Azure Container Apps. The order is:
#
#   scripts/deploy_container_app.sh expand        the revisions that the running code tolerates
#   scripts/deploy_container_app.sh application   the new image; traffic moves when it is ready
#   scripts/deploy_container_app.sh contract      the revisions that only the new code tolerates
#
# It needs IMAGE, AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP,
# AZURE_CONTAINER_APP and AZURE_MIGRATION_JOB, and AZURE_FEDERATED_TOKEN where `az` is not logged in.
set -euo pipefail

part=${1:-}
case $part in
    expand) arguments='db upgrade --until expand' ;;
    contract) arguments='db upgrade' ;;
    application) ;;
    *) echo "Usage: $0 expand|application|contract" >&2; exit 2 ;;
esac
for name in IMAGE AZURE_RESOURCE_GROUP AZURE_CONTAINER_APP AZURE_MIGRATION_JOB; do
    [ -n "${!name:-}" ] || { echo "$name is not set." >&2; exit 2; }
done

if [ -n "${AZURE_FEDERATED_TOKEN:-}" ]; then
    az login --output none --service-principal --username "$AZURE_CLIENT_ID" \
        --tenant "$AZURE_TENANT_ID" --federated-token "$AZURE_FEDERATED_TOKEN"
    az account set --subscription "$AZURE_SUBSCRIPTION_ID"
fi

migrate() {
    az containerapp job update --output none --name "$AZURE_MIGRATION_JOB" \
        --resource-group "$AZURE_RESOURCE_GROUP" --image "$IMAGE" \
        --command python manage.py --args $1
    local execution status
    execution=$(az containerapp job start --name "$AZURE_MIGRATION_JOB" \
        --resource-group "$AZURE_RESOURCE_GROUP" --query name --output tsv)
    while :; do
        status=$(az containerapp job execution show --name "$AZURE_MIGRATION_JOB" \
            --resource-group "$AZURE_RESOURCE_GROUP" --job-execution-name "$execution" \
            --query properties.status --output tsv)
        case $status in
            Succeeded) echo "$execution succeeded."; return ;;
            Running | Processing) sleep "${POLL_SECONDS:-5}" ;;
            *) echo "$execution ended as $status: look at its log." >&2; return 1 ;;
        esac
    done
}

if [ "$part" = application ]; then
    az containerapp update --output none --name "$AZURE_CONTAINER_APP" \
        --resource-group "$AZURE_RESOURCE_GROUP" --image "$IMAGE"
else
    migrate "$arguments"
fi
